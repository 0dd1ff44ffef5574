"""Administration in a browser: what only the page and its scripts decide."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import sign_in_as
from tests.browser.test_accessibility import violations
from tests.system.deployment import Origin
from tests.system.http_client import PASSWORD, Person

pytestmark = pytest.mark.front_end

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def phone(chromium: Browser, origin: Origin, administrator: Person) -> Iterator[Page]:
    """A phone on which Alice is signed in."""
    options = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    context = chromium.new_context(base_url=origin.url, **options)  # type: ignore[arg-type]
    yield sign_in_as(administrator, context, url=origin.url)
    context.close()


def test_an_invitation_made_on_a_phone_lets_somebody_in(
    phone: Page, chromium: Browser, origin: Origin
) -> None:
    phone.goto("/admin/invitations")
    phone.get_by_role("textbox", name="Label").fill("Grandparents")
    phone.get_by_role("button", name="Create invitation").tap()
    address = phone.get_by_label("Address of the invitation")
    expect(address).to_have_value(re.compile(r"/invite/[\w-]{43}$"))
    expect(phone.get_by_alt_text("The link as a QR code")).to_be_visible()
    assert violations(phone) == []
    invited = chromium.new_context(base_url=origin.url, viewport=PHONE)  # type: ignore[arg-type]
    page = invited.new_page()
    page.goto(address.input_value())
    expect(page.get_by_text("alice invites you to")).to_be_visible()
    page.get_by_label("User name").fill("Grandma")
    page.get_by_label("Password", exact=True).fill("password1")
    expect(page.get_by_text("Too easy to guess")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    expect(page.get_by_text("Very strong")).to_be_visible()
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/stream")
    invited.close()


def test_a_change_is_saved_at_once_and_undone_and_a_wrong_one_is_explained(page: Page) -> None:
    page.goto("/admin/settings")
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_hidden()
    page.get_by_label("Days in the bin").fill("7")
    page.get_by_label("Days in the bin").press("Tab")
    expect(page.locator("#toasts")).to_contain_text("Saved.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("Undone.")
    page.get_by_label("Quota").fill("much")
    page.get_by_label("Quota").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("That is no size.")
    expect(page.get_by_label("Quota")).to_have_attribute("aria-invalid", "true")
    assert violations(page) == []
    page.reload()
    expect(page.get_by_label("Days in the bin")).to_have_value("30")
    expect(page.get_by_label("Quota")).to_have_value("")
