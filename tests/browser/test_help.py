"""The documentation at `/help`, in a browser: nothing of it is against its policy."""

from playwright.sync_api import BrowserContext, expect

from tests.system.deployment import Origin


def test_help_can_be_read_and_searched_without_an_account(
    context: BrowserContext, origin: Origin
) -> None:
    page = context.new_page()
    page.goto(f"{origin.url}/help")
    expect(page.get_by_role("heading", name="Help", level=1)).to_be_visible()

    page.get_by_role("article").get_by_role("link", name="Share them").click()
    expect(page.get_by_role("heading", name="Sharing", level=1)).to_be_visible()

    page.get_by_role("button", name="Search").first.click()
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("forgotten")
    page.get_by_role("link", name="Forgotten passwords").click()
    expect(page.get_by_role("heading", name="Administration", level=1)).to_be_visible()
