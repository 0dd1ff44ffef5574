"""What every page has: menus, toasts, forms, and how it looks on paper."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.deployment import Origin
from tests.system.http_client import PASSWORD, Person

pytestmark = pytest.mark.front_end


def test_a_menu_closes_by_escape_and_when_the_focus_leaves_it(page: Page) -> None:
    page.goto("/stream")
    summary, entry = page.locator(".account-menu > summary"), page.get_by_text("Your account")
    summary.press("Enter")
    expect(entry).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(entry).to_be_hidden()
    expect(summary).to_be_focused()

    summary.press("Enter")
    expect(entry).to_be_visible()
    page.keyboard.press("Shift+Tab")

    expect(entry).to_be_hidden()


def test_a_toast_is_read_out_and_undone(page: Page) -> None:
    page.goto("/design")
    page.get_by_role("button", name="Show a toast").click()
    toasts = page.locator("#toasts")
    expect(toasts).to_have_attribute("role", "status")
    expect(toasts).to_contain_text("Moved to the bin.")
    toasts.get_by_role("button", name="Undo").click()
    expect(toasts).to_be_empty()


def test_a_password_can_be_looked_at_and_is_sent(
    chromium: Browser, origin: Origin, administrator: Person
) -> None:
    with chromium.new_context(base_url=origin.url) as context:
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.goto("/login")
        expect(page.get_by_label("User name")).to_be_focused()
        page.get_by_label("User name").fill("alice")
        field = page.get_by_label("Password")
        field.fill(PASSWORD)
        page.get_by_role("button", name="Show what was typed").click()
        expect(field).to_have_attribute("type", "text")
        page.get_by_role("button", name="Hide what was typed").click()
        expect(field).to_have_attribute("type", "password")
        page.get_by_role("button", name="Show what was typed").click()
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/stream")


def test_a_button_says_that_what_it_sends_is_on_its_way(page: Page) -> None:
    page.goto("/stream")
    page.route("**/logout", lambda _route: None)  # held: neither answered nor let through
    button = page.locator(".account-menu button")

    assert button.evaluate("one => { one.click(); return one.ariaBusy; }") == "true"


def test_a_page_is_printed_without_bars_and_forms(page: Page, video: str) -> None:
    page.goto(f"/stream/{video}")
    page.emulate_media(media="print")
    for part in (".site-header", ".tab-bar", "form", "button"):
        for one in page.locator(part).all():
            expect(one).to_be_hidden()
    expect(page.get_by_role("heading", name="Morning at the salt pans")).to_be_visible()
