"""The documentation at `/help`, in a browser: nothing of it is against its policy."""

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.test_accessibility import Looks, violations
from tests.system.deployment import Origin
from tests.waiting import wait_until

PLACES = ["/help/", "/help/benchmarks/", "/help/operations/"]


def test_help_can_be_read_and_searched_without_an_account(
    context: BrowserContext, origin: Origin
) -> None:
    page = context.new_page()
    page.goto(f"{origin.url}/help")
    expect(page.get_by_role("heading", name="Help", level=1)).to_be_visible()

    page.get_by_role("article").get_by_role("link", name="Share them").click()
    expect(page.get_by_role("heading", name="Sharing", level=1)).to_be_visible()

    page.get_by_role("button", name="Search").first.click()
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("forgotten")
    result = page.get_by_role("link", name="Forgotten passwords")
    expect(result).to_be_visible()
    # Results fade in: their colours are looked at when they are there.
    wait_until(
        lambda: page.evaluate("() => document.getAnimations().length === 0"),
        within=10,
        what="the end of the motion",
    )
    assert violations(page) == []
    result.click()
    expect(page.get_by_role("heading", name="Administration", level=1)).to_be_visible()


@pytest.mark.front_end
def test_no_page_of_help_has_a_violation(chromium: Browser, origin: Origin) -> None:
    context = chromium.new_context(base_url=origin.url, reduced_motion="reduce")
    page = context.new_page()
    looks = Looks()
    found = []
    for path in PLACES:
        page.goto(path)
        page.get_by_role("search").first.wait_for(state="attached")
        found += looks.problems(page)
    context.close()
    assert found == []
