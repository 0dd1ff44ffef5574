"""The documentation as it is served at `/help`: complete, and fit for its policy."""

import base64
import hashlib
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from docs_site.__main__ import ROOT, build, move_inline


class Page(HTMLParser):
    """What a page refers to, what can be referred to in it, and what it does itself."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.ids: set[str] = set()
        self.classes: set[str] = set()
        self.inline: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the attributes that matter."""
        given = {name: value or "" for name, value in attrs}
        self.ids.add(given.get("id", ""))
        self.classes |= set(given.get("class", "").split())
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if "src" in given:
            self.fetched.append(given["src"])
        if tag == "link" and given.get("rel") in ("stylesheet", "icon"):
            self.fetched.append(given["href"])
        is_script = tag == "script" and "src" not in given
        if (is_script and given.get("type") != "application/json") or tag == "style":
            self.inline.append(tag)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]


def copy_sources(folder: Path) -> None:
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "zensical.toml", folder)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation as it is built."""
    folder = tmp_path_factory.mktemp("documentation")
    copy_sources(folder)
    return build(folder)


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """The pages by their folders. The page for what is not found is never served."""
    return {path.parent: Page(path) for path in site.rglob("index.html")}


def test_every_link_leads_to_a_page_or_file_and_its_heading(
    site: Path, pages: dict[Path, Page]
) -> None:
    wrong = []
    for folder, page in pages.items():
        for link in [*page.links, *page.fetched]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (folder / unquote(parts.path)).resolve()
            assert target.is_relative_to(site), link
            heading = unquote(parts.fragment)
            found = target in pages and (not heading or heading in pages[target].ids)
            if not found and not target.is_file():
                wrong.append(f"{folder.relative_to(site)}: {link}")
    assert wrong == []
    assert len(pages) > 15


def test_nothing_is_fetched_from_elsewhere(pages: dict[Path, Page]) -> None:
    fetched = [address for page in pages.values() for address in page.fetched]
    assert [address for address in fetched if urlsplit(address).netloc] == []
    # The theme would fetch a program for diagrams where a page has something of this class.
    assert not any("mermaid" in page.classes for page in pages.values())


def test_no_page_has_scripts_or_styles_within(pages: dict[Path, Page]) -> None:
    assert {str(folder): page.inline for folder, page in pages.items() if page.inline} == {}


@pytest.mark.parametrize(
    "server", ["gateway/templates/site.conf.template", "standalone/Caddyfile.template"]
)
def test_the_policy_names_the_style_that_the_search_brings(site: Path, server: str) -> None:
    text = (ROOT / server).read_text(encoding="utf-8")
    [named] = re.findall(r"style-src 'self' 'sha256-([^']+)'", text)
    [bundle] = (site / "assets/javascripts").glob("bundle.*.js")
    literals = re.findall(r"'([^'\\]{1000,})'", bundle.read_text(encoding="utf-8"))
    digests = {base64.b64encode(hashlib.sha256(one.encode()).digest()) for one in literals}
    assert named.encode() in digests


def test_an_inline_script_becomes_a_file(tmp_path: Path) -> None:
    page = move_inline("<script>go()</script><script>go()</script>", tmp_path, "../js")

    [file] = tmp_path.iterdir()
    assert file.read_text(encoding="utf-8") == "go()"
    assert page == f'<script src="../js/{file.name}"></script>' * 2


@pytest.mark.parametrize("link", ["nowhere.md", "sharing.md#nowhere"])
def test_a_link_that_leads_nowhere_ends_the_build(tmp_path: Path, link: str) -> None:
    copy_sources(tmp_path)
    with (tmp_path / "docs/index.md").open("a", encoding="utf-8") as file:
        file.write(f"\n[wrong]({link})\n")

    with pytest.raises(subprocess.CalledProcessError):
        build(tmp_path)


def slug(heading: str) -> str:
    """Return the anchor of a heading, as code hosts make it."""
    text = re.sub(r"[`*]", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def headings(file: Path) -> set[str]:
    text = re.sub(r"```.*?```", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_of_the_files_beside_it_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", text)
    for link in filter(None, (one or other for one, other in links)):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = ROOT / parts.path if parts.path else ROOT / name
        assert target.exists(), link
        assert not parts.fragment or parts.fragment in headings(target), link
