"""The first minutes: from an empty site to somebody else's phone, with clicks and taps alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import media
from tests.browser.conftest import watch_console
from tests.conftest import free_ports
from tests.system.deployment import Standalone
from tests.system.http_client import PASSWORD
from tests.waiting import wait_until

pytestmark = pytest.mark.front_end

DESKTOP: dict[str, object] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, object] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Standalone]:
    """A site that has just been started for the first time."""
    site = Standalone(tmp_path / "data", free_ports(3))
    site.start()
    yield site
    site.remove()


def test_from_an_empty_site_to_a_film_on_bobs_phone(chromium: Browser, site: Standalone) -> None:
    complaints: list[str] = []
    alice, bob = (_open(chromium, site, device, complaints) for device in (DESKTOP, PHONE))

    # Alice's account, the three steps, and an invitation for Bob.
    alice.goto("/")
    expect(alice.get_by_role("heading", name="Create your account")).to_be_visible()
    _create_account(alice, "alice")
    alice.get_by_label("Name").fill("Films of the Millers")
    alice.get_by_role("button", name="Continue").click()
    alice.get_by_text("People with an invitation").click()
    alice.get_by_role("button", name="Continue").click()
    alice.get_by_role("link", name="Invite people").click()
    alice.get_by_role("button", name="Create invitation").click()
    invitation = alice.get_by_label("Address of the invitation").input_value()

    # Bob joins on his phone.
    bob.goto(invitation)
    expect(bob.get_by_text("alice invites you to Films of the Millers")).to_be_visible()
    _create_account(bob, "bob")
    bob.wait_for_url("**/stream")

    # Alice uploads, and shares while the bytes travel.
    alice.get_by_role("navigation", name="Main").get_by_role("link", name="Upload").click()
    alice.locator("#file").set_input_files(media.make("index-first.mp4"))
    row = alice.locator("#transfers li.transfer").first
    row.get_by_label("Title", exact=True).fill("Snow on the tracks")
    row.get_by_label("Share with people and groups").fill("bob")
    row.get_by_role("button", name="Add").click()
    expect(row.get_by_text("bob", exact=True)).to_be_visible()
    expect(row.get_by_text("Saved")).to_be_visible()
    expect(row.get_by_role("link", name="Watch")).to_be_visible()

    # Bob finds it and watches.
    bob.get_by_role("navigation", name="Main").get_by_role("link", name="Library").tap()
    bob.get_by_role("link", name="Snow on the tracks").first.tap()
    bob.wait_for_url("**/stream/*")
    # Those who may only watch wait for the first rendition.
    expect(bob.locator("video")).to_be_visible(timeout=60_000)
    box = bob.locator("#player-container").bounding_box()
    assert box is not None
    bob.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    wait_until(
        lambda: bob.locator("video").evaluate("video => video.currentTime > 0.5"),
        within=30,
        pause=0.1,
        what="a moving picture",
    )
    assert complaints == []


def _open(
    chromium: Browser, site: Standalone, device: dict[str, object], complaints: list[str]
) -> Page:
    context = chromium.new_context(base_url=site.url, **device)  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    page = context.new_page()
    watch_console(page, complaints)
    return page


def _create_account(page: Page, name: str) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
