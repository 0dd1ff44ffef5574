"""A share link in the browser: made, opened on a phone, and revoked, by keyboard alone."""

from playwright.sync_api import Browser, Page, expect

from tests.browser.player import Player
from tests.browser.test_accessibility import PHONE, violations
from tests.system.deployment import Origin
from tests.system.http_client import PASSWORD


def test_a_link_is_made_opened_and_revoked_by_keyboard(
    page: Page, chromium: Browser, origin: Origin, finished: str
) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"/stream/{finished}")
    page.get_by_role("link", name="Share", exact=True).press("Enter")
    page.locator("summary", has_text="New link").press("Enter")
    expect(page.get_by_label("Label")).to_be_focused()
    page.get_by_label("Label").fill("For Anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create link").press("Enter")
    address = page.get_by_label("Address of the new link")
    expect(address).to_be_focused()
    assert page.url == f"{origin.url}/stream/{finished}"  # in the dialog
    expect(page.get_by_role("img", name="The link as a QR code")).to_be_visible()
    assert violations(page) == []

    context = chromium.new_context(base_url=origin.url, viewport=PHONE, reduced_motion="reduce")
    guest = context.new_page()
    addresses: list[str] = []
    guest.on("request", lambda request: addresses.append(request.url))
    guest.goto(address.input_value())
    assert violations(guest) == []
    guest.get_by_label("Password").fill(PASSWORD)
    guest.get_by_label("Password").press("Enter")
    guest.wait_for_url(f"**/stream/{finished}")
    player = Player(guest)
    player.until("video.currentSrc.startsWith('blob:') && video.readyState >= 2")
    player.play()
    assert not [one for one in addresses if one.endswith(("video.mp4", "/position"))]
    expect(guest.get_by_role("navigation")).to_have_count(0)
    assert violations(guest) == []
    assert guest.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]

    page.get_by_role("button", name="Revoke For Anna").press("Enter")
    links = page.get_by_role("region", name="Links")
    expect(links.get_by_role("status")).to_contain_text("The link is revoked")
    guest.reload()
    guest.wait_for_url("**/login?**")
    context.close()
