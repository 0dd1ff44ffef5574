"""Build the documentation into `build/help`, and make it fit for a strict policy.

    python -m docs_site

Zensical builds it; a link to a page or heading that does not exist ends the build. Its pages have
scripts and alignments within, which the policy of `/help` refuses (`script-src 'self'`): scripts
are moved to files, and alignments become classes of `docs/assets/help.css`.
"""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
_INLINE = re.compile(r"<script>(.+?)</script>", re.DOTALL)
_ALIGNED = re.compile(r' style="text-align: (left|right|center);"')
# What nobody can use: links of lines of code without a text, headings of columns without one, and
# the name of the shade beside the menu.
_EMPTY = re.compile(r'<a id="__codelineno[^>]*></a>')
_HEADLESS = re.compile(r"<th[^>]*></th>")
_OVERLAY = re.compile(r'(<label class="md-overlay" for="__drawer") aria-label="[^"]*"')


def build(root: Path = ROOT) -> Path:
    """Build the site anew, and return its folder.

    :param root: the folder that holds `zensical.toml` and what it names.
    :raises subprocess.CalledProcessError: a link leads nowhere, or the configuration is wrong.
    """
    site = root / "build" / "help"
    shutil.rmtree(site, ignore_errors=True)
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    subprocess.run(command, cwd=root, check=True)
    scripts = site / "assets" / "javascripts"
    for page in site.rglob("*.html"):
        up = "/".join([".."] * len(page.relative_to(site).parents[:-1])) or "."
        text = move_inline(page.read_text("utf-8"), scripts, f"{up}/assets/javascripts")
        page.write_text(remove_empty(text), encoding="utf-8")
    return site


def move_inline(page: str, folder: Path, address: str) -> str:
    """Return a page without inline scripts and styles.

    :param folder: where the scripts are written, each under a name made of its content.
    :param address: of that folder, as the page reaches it.
    """

    def move(match: re.Match[str]) -> str:
        name = f"inline-{hashlib.sha256(match[1].encode()).hexdigest()[:12]}.js"
        (folder / name).write_text(match[1], encoding="utf-8")
        return f'<script src="{address}/{name}"></script>'

    return _ALIGNED.sub(r' class="\1"', _INLINE.sub(move, page))


def remove_empty(page: str) -> str:
    """Return a page without links and headings of tables that have no text."""
    text = _HEADLESS.sub("<td></td>", _EMPTY.sub("", page))
    return _OVERLAY.sub(r'\1 aria-hidden="true"', text)


if __name__ == "__main__":
    try:
        build()
    except subprocess.CalledProcessError:
        sys.exit("The documentation was not built: see above.")
