"""Pages in another language, and in a script that is written from right to left."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_accessibility import violations
from tests.system.deployment import Origin

pytestmark = pytest.mark.front_end

PAGES = ["/stream", "/stream/{video}", "/stream/{video}/access", "/upload", "/account", "/admin"]
WIDTHS = [390, 1280]

WIDER_THAN_THE_WINDOW = """() => {
  document.documentElement.dir = "rtl";
  const root = document.scrollingElement;
  return root.scrollWidth - root.clientWidth;
}"""


def test_scripts_speak_the_language_of_the_page(chromium: Browser, origin: Origin) -> None:
    context = chromium.new_context(locale="de-DE", base_url=origin.url)
    page = context.new_page()
    page.goto("/login")
    expect(page.get_by_role("button", name="Eingabe anzeigen")).to_be_visible()
    page.get_by_role("button", name="Français").click()
    expect(page.get_by_role("button", name="Afficher la saisie")).to_be_visible()
    context.close()


def test_no_page_scrolls_sideways_from_right_to_left(page: Page, video: str) -> None:
    wide = {}
    for path in PAGES:
        page.goto(path.format(video=video))
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            if surplus := page.evaluate(WIDER_THAN_THE_WINDOW):
                wide[path, width] = surplus
    assert wide == {}


def test_no_page_in_another_language_has_a_violation(page: Page, video: str) -> None:
    """`test_accessibility.py` has all German pages, and other tests some English ones."""
    found = []
    for language in ("fr", "es"):
        page.set_extra_http_headers({"Accept-Language": language})
        for path in ("/stream", "/stream/{video}", "/upload"):
            page.goto(path.format(video=video))
            assert page.locator("html").get_attribute("lang") == language
            found += violations(page, schemes=["light"], colours=False)  # those of the German pages
    assert found == []
