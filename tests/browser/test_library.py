"""The library as a script serves it: it goes on, keeps its place, and changes several videos."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import sign_in_as
from tests.browser.test_accessibility import violations
from tests.system.deployment import Origin
from tests.system.http_client import Person, sign_up

pytestmark = pytest.mark.front_end

COUNT = 60
# Rows without files: what is looked at is the list.
FILMS = """
    INSERT INTO videos (id, owner_id, title, description, visibility, size, duration_ms, created_at,
                        updated_at)
    WITH RECURSIVE numbers(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM numbers WHERE n < 69)
    SELECT 'lena' || n || '5678901234567890', users.id, 'Film ' || n, '', 'private', 1000, 61000,
           '2026-01-02 03:04:' || substr('0' || (n % 60), -2) || '.000000',
           '2026-01-02 03:04:05.000000'
    FROM numbers, users WHERE users.name_key = 'lena'
"""
WORDS = """
    INSERT INTO search_words (word, video_id)
    SELECT 'film', id FROM videos WHERE title LIKE 'Film __'
    UNION ALL SELECT substr(title, 6), id FROM videos WHERE title LIKE 'Film __'
"""


@pytest.fixture(scope="module")
def lena(origin: Origin, administrator: Person) -> Iterator[Person]:
    """Somebody with sixty videos."""
    with sign_up(origin.url, "lena") as lena:
        origin.change_row(FILMS)
        origin.change_row(WORDS)
        yield lena


def test_the_list_goes_on_keeps_its_place_and_changes_several_videos(
    context: BrowserContext, origin: Origin, lena: Person
) -> None:
    page = sign_in_as(lena, context, url=origin.url)
    page.emulate_media(reduced_motion="reduce")
    cards = page.locator("#library .video-card")
    page.goto("/stream?whose=mine&sort=oldest")  # others show videos to everyone here
    expect(page.locator("#all-videos")).to_have_text(f"{COUNT} videos")
    expect(cards).to_have_count(24)
    until_all(page)
    fiftieth = cards.nth(49)
    fiftieth.scroll_into_view_if_needed()
    page.wait_for_function(f"() => history.state?.library?.count === {COUNT}")
    page.goto("/account")
    page.go_back()
    expect(cards).to_have_count(COUNT)
    expect(fiftieth).to_be_in_viewport()

    page.evaluate("scrollTo(0, 0)")
    page.get_by_role("link", name="Select", exact=True).click()
    cards.nth(0).click()
    cards.nth(2).click(modifiers=["Shift"])
    bar = page.locator("#selection")
    expect(bar.get_by_role("status")).to_have_text("3 videos are selected.")
    assert violations(page) == []
    bar.get_by_role("button", name="Move to bin").click()
    expect(cards).to_have_count(COUNT - 3)
    expect(page.locator("#all-videos")).to_have_text(f"{COUNT - 3} videos")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#all-videos")).to_have_text(f"{COUNT} videos")
    expect(bar).not_to_be_visible()


def until_all(page: Page) -> None:
    """Scroll until there is no further page."""
    cards, more = page.locator("#library .video-card"), page.locator("[data-more]")
    shown = cards.count()
    while more.count():
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        expect(cards).not_to_have_count(shown)
        shown = cards.count()
    expect(cards).to_have_count(COUNT)


def test_a_search_is_suggested_and_chosen_by_keyboard(
    context: BrowserContext, origin: Origin, lena: Person
) -> None:
    page = sign_in_as(lena, context, url=origin.url)
    page.goto("/stream")
    field = page.get_by_role("combobox", name="Search videos")
    options = page.locator("#search-suggestions").get_by_role("option")
    field.press_sequentially("film 42")
    expect(options).to_have_text(["Film 42"])  # of those to "film" there are several
    assert violations(page) == []
    field.press("Escape")
    expect(options).to_have_count(0)
    expect(field).to_have_value("film 42")
    field.press("Backspace")
    expect(options).to_have_count(5)
    field.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    field.press("ArrowUp")
    field.press("Enter")
    page.wait_for_url("**/stream?q=film+4")
    expect(page.locator("#all-videos")).to_have_text("10 matches")
