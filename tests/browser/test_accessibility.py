"""axe finds no violation on any page: dark and light, desktop and phone."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import enter
from tests.system.deployment import ROOT, Origin

pytestmark = pytest.mark.front_end

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}

SIGNED_OUT = ["/login", "/register", "/stream/{video}", "/nothing-here"]
SIGNED_IN = [
    "/stream",
    "/stream?q=nothing+like+it",
    "/stream?whose=mine&sort=title",
    "/stream/{video}",
    "/stream?select=1&tag=none",
    "/stream?select=1",
    "/stream/bin",
    "/stream/{video}/edit",
    "/stream/{video}/audit",
    "/stream/audit",
    "/upload",
    "/account",
    "/admin",
    "/stream/failed",
    "/nothing-here",
]


def violations(page: Page) -> list[str]:
    """Run axe in the page, and say what it found and where."""
    # The policy forbids inline scripts, so axe goes in through the debugger, not through the page.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("() => axe.run()")
    return [
        f"{page.url}: {violation['id']}: {violation['nodes'][0]['html']}"
        for violation in found["violations"]
    ]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_violation(
    chromium: Browser, origin: Origin, failed: str, video: str, scheme: Any, size: Any
) -> None:
    # Without motion, so that no colour is looked at on its way to another.
    context = chromium.new_context(
        base_url=origin.url, color_scheme=scheme, viewport=size, reduced_motion="reduce"
    )
    page = context.new_page()
    found = []
    for path in SIGNED_OUT:
        page.goto(path.format(video=video))
        found += violations(page)
    page = enter(context, origin, "alice")
    for path in SIGNED_IN:
        page.goto(path.format(video=video))
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        found += violations(page)
    context.close()
    assert found == []


def test_no_page_is_wider_than_a_phone(
    chromium: Browser, origin: Origin, failed: str, video: str
) -> None:
    context = chromium.new_context(base_url=origin.url, viewport=PHONE)  # type: ignore[arg-type]
    page = enter(context, origin, "alice")
    widths = {}
    for path in (*SIGNED_IN, *SIGNED_OUT):
        page.goto(path.format(video=video))
        widths[path] = page.evaluate("() => document.documentElement.scrollWidth")
    context.close()
    assert {path: width for path, width in widths.items() if width > PHONE["width"]} == {}


def test_upload_progress_is_spoken(page: Page, film: Path) -> None:
    page.goto("/upload")
    page.locator("#file").set_input_files(film)
    expect(page.locator("#announcer")).to_contain_text("film")
    assert violations(page) == []
