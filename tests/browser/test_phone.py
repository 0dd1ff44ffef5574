"""The watch page under a finger: what is tapped by its place on the display."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import media
from tests.browser.player import Player
from tests.system.deployment import Origin
from tests.system.http_client import Person

pytestmark = pytest.mark.front_end

SIZES = [(320, 640), (360, 740), (390, 844), (412, 915), (844, 390)]
CENTRE = """button => {
    const box = button.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
}"""


@contextmanager
def phone(chromium: Browser, origin: Origin, size: tuple[int, int]) -> Iterator[Page]:
    """Open a page on a phone, signed out."""
    width, height = size
    with chromium.new_context(
        base_url=origin.url,
        has_touch=True,
        is_mobile=True,
        device_scale_factor=2,
        viewport={"width": width, "height": height},
    ) as context:
        context.set_default_timeout(15_000)
        yield context.new_page()


def test_a_tap_on_the_large_button_plays(chromium: Browser, origin: Origin, video: str) -> None:
    with phone(chromium, origin, SIZES[0]) as page:
        player = Player(page)
        page.goto(f"/stream/{video}")
        button = page.locator(".plyr__control--overlaid")
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            expect(button).to_be_visible()
            x, y = button.evaluate(CENTRE)
            for offset in (-20, 0, 20):  # the whole height of the button takes a finger
                assert page.evaluate(
                    "([x, y]) => Boolean(document.elementFromPoint(x, y)"
                    ".closest('.plyr__control--overlaid'))",
                    [x, y + offset],
                )

            page.touchscreen.tap(x, y)

            player.until("!video.paused && video.currentTime > 0.3")
            player.begin_again(at=0)


def test_the_buttons_of_the_bar_take_a_tap(chromium: Browser, origin: Origin, video: str) -> None:
    with phone(chromium, origin, (390, 844)) as page:
        page.goto(f"/stream/{video}")
        play = page.locator(".plyr__controls [data-plyr=play]")

        page.touchscreen.tap(*play.evaluate(CENTRE))
        Player(page).until("!video.paused")

        page.touchscreen.tap(*play.evaluate(CENTRE))
        Player(page).until("video.paused")


def test_the_settings_are_a_sheet_with_every_quality_in_sight(
    chromium: Browser, origin: Origin, prepared: str
) -> None:
    with phone(chromium, origin, (390, 844)) as page:
        Player(page).open(prepared)
        page.get_by_role("button", name="Settings", exact=True).tap()
        page.get_by_role("menuitem", name="Quality").tap()
        entries = page.get_by_role("menuitemradio")
        expect(entries).to_have_count(4)
        for entry in entries.all():
            box = entry.bounding_box()
            assert box is not None
            assert box["height"] >= 44
            expect(entry).to_be_in_viewport(ratio=1)
        entries.filter(has_text="240p").tap()
        expect(page.get_by_role("menuitem", name="Quality")).to_contain_text("240p")

        page.touchscreen.tap(195, 20)

        expect(page.get_by_role("menuitem", name="Quality")).to_have_count(0)


def test_a_portrait_video_keeps_its_shape(
    chromium: Browser, origin: Origin, administrator: Person
) -> None:
    video = administrator.upload(media.make("rotated.mp4"), title="Upright")
    administrator.show(video, "public")
    with phone(chromium, origin, (390, 844)) as page:
        page.goto(f"/stream/{video}")
        box = page.locator("#player-container").bounding_box()
        assert box is not None
        assert box["width"] == 390
        # As high as 9:16 is, but for the room that the title needs.
        assert box["height"] == pytest.approx(0.75 * 844, abs=1)
