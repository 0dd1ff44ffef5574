"""axe finds no violation on any page: dark and light, desktop and phone."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.conftest import sign_in_as
from tests.system.deployment import ROOT, Origin
from tests.system.http_client import Person

pytestmark = pytest.mark.front_end

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
# Of what passes axe describes one place alone, which takes a quarter less time. No rule looks at
# style sheets, so axe need not load them again.
RUN = """async ([part, options]) => (await axe.run(part ?? document, {
    resultTypes: ["violations"], preload: { assets: ["media"] }, ...options,
})).violations"""
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
Scheme = Literal["light", "dark"]
DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)
SIZES = {"desktop": DESKTOP, "phone": PHONE}

SIGNED_OUT = ["/login", "/register", "/password", "/stream/{video}", "/offline", "/nothing-here"]
SIGNED_IN = [
    "/stream",
    "/stream?q=nothing+like+it",
    "/stream?whose=mine&sort=title",
    "/stream/{video}",
    "/stream?select=1&tag=none",
    "/stream?select=1",
    "/stream/bin",
    "/stream/{video}/edit",
    "/stream/{video}/links",
    "/stream/{video}/access",
    "/stream/shared",
    "/collections",
    "/groups",
    "/stream/{video}/audit",
    "/stream/audit",
    "/upload",
    "/account",
    "/account/links",
    "/admin",
    "/design",
    "/admin/users",
    "/admin/users/1",
    "/admin/invitations",
    "/admin/settings",
    "/admin/setup",
    "/admin/setup/joining",
    "/stream/failed",
    "/nothing-here",
]


def violations(
    page: Page,
    *,
    part: str | None = None,
    schemes: Sequence[Scheme] = ("light", "dark"),
    colours: bool = True,
) -> list[str]:
    """Run axe in the page, light and dark, and say what it found and where.

    The page is the same in both but for its colours, so in the second only their rules are tried.
    It is without motion, or a colour could be looked at on its way to another.

    :param part: a selector of what has changed since the whole page was looked at.
    :param colours: whether they are looked at, which takes half of the time.
    """
    # The policy forbids inline scripts, so axe goes in through the debugger, not through the page.
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    options: dict[str, Any] = {}
    if not colours:
        options = {"rules": {rule: {"enabled": False} for rule in COLOUR_RULES}}
    found: list[dict[str, Any]] = []
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += page.evaluate(RUN, [part, options])
        options = {"runOnly": COLOUR_RULES}
    return [f"{page.url}: {one['id']}: {one['nodes'][0]['html']}" for one in found]


class Looks:
    """What a page looks like: dark and light, on a desktop and on a phone.

    Each page is looked at in two ways, which have both schemes and both sizes between them, and the
    next page in the other two. What all pages have is so looked at in all four; to draw a page
    anew takes longer than to run axe.
    """

    def __init__(self) -> None:
        self._pairs: Iterator[Sequence[tuple[str, Scheme]]] = itertools.cycle(
            [(("desktop", "light"), ("phone", "dark")), (("phone", "light"), ("desktop", "dark"))]
        )

    def problems(self, page: Page) -> list[str]:
        """Run axe in the page in its two ways; say what it found, and how wide a page is that is
        wider than the phone.
        """
        found = []
        for size, scheme in next(self._pairs):
            page.set_viewport_size(SIZES[size])
            found += [f"{size}, {scheme}: {one}" for one in violations(page, schemes=[scheme])]
            width = page.evaluate("() => document.documentElement.scrollWidth")
            if width > SIZES[size]["width"]:
                found.append(f"{size}: {page.url} is {width} px wide")
        return found


def test_no_page_has_a_violation_or_is_wider_than_a_phone(
    chromium: Browser, origin: Origin, administrator: Person, failed: str, video: str
) -> None:
    """In German, which has the longest words; the tests of touch look at the English pages."""
    context = chromium.new_context(base_url=origin.url, reduced_motion="reduce", locale="de")
    page = context.new_page()
    looks = Looks()
    found = []
    languages = {}
    for path in SIGNED_OUT:
        page.goto(path.format(video=video))
        languages[path] = page.locator("html").get_attribute("lang")
        found += looks.problems(page)
    page = sign_in_as(administrator, context, url=origin.url)
    for path in SIGNED_IN:
        page.goto(path.format(video=video))
        languages[path] = page.locator("html").get_attribute("lang")
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        found += looks.problems(page)
    context.close()
    assert found == []
    # The front server itself says that there is no such page.
    assert [path for path, language in languages.items() if language != "de"] == ["/nothing-here"]


def test_no_dialog_has_a_violation(
    chromium: Browser, origin: Origin, administrator: Person, video: str
) -> None:
    context = chromium.new_context(base_url=origin.url, reduced_motion="reduce")
    page = sign_in_as(administrator, context, url=origin.url)
    page.goto(f"/stream/{video}")
    page.get_by_role("link", name="Share", exact=True).click()
    dialog = page.get_by_role("dialog", name="Who can watch this?")
    expect(dialog).to_be_visible()
    dialog.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    found = Looks().problems(page)
    context.close()
    assert found == []


def test_upload_progress_is_spoken(page: Page, video_file: Path) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto("/upload")
    page.locator("#file").set_input_files(video_file)
    expect(page.locator("#announcer")).to_contain_text("twelve-seconds")
    assert violations(page) == []
