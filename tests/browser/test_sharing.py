"""Sharing from the watch page: a dialog, by keyboard, without leaving the video."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_accessibility import violations
from tests.system.deployment import Origin
from tests.system.http_client import sign_up

pytestmark = pytest.mark.front_end


def test_a_video_is_shared_and_taken_back_in_the_dialog(
    page: Page, origin: Origin, finished: str
) -> None:
    with sign_up(origin.url, "sharon") as sharon:
        page.emulate_media(reduced_motion="reduce")  # no colour is looked at on its way to another
        page.goto(f"{origin.url}/stream/{finished}")
        share = page.get_by_role("link", name="Share", exact=True)
        share.focus()
        share.press("Enter")
        dialog = page.get_by_role("dialog", name="Who can watch this?")
        name = dialog.get_by_label("Name", exact=True)
        expect(name).to_be_focused()
        name.press_sequentially("shar")
        expect(dialog.locator("#who-suggestions option")).to_have_attribute("value", "sharon")
        name.press_sequentially("on")
        name.press("Enter")
        expect(dialog.get_by_role("status")).to_contain_text("It is shared")
        expect(page.locator("#sharing-summary")).to_contain_text("1 person")
        assert violations(page) == []
        assert sharon.get(f"/stream/{finished}").status_code == 200
        remove = dialog.get_by_role("button", name="Remove sharon")
        remove.focus()
        remove.press("Enter")
        expect(remove).to_have_count(0)
        assert sharon.get(f"/stream/{finished}").status_code == 404
        page.keyboard.press("Escape")
        expect(dialog).not_to_be_visible()
        assert page.url == f"{origin.url}/stream/{finished}"
