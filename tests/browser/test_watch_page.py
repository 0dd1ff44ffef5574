"""The watch page around the player: chapters, transcript, what comes next, theatre mode, taps."""

import itertools
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.player import Player
from tests.browser.test_accessibility import violations
from tests.browser.test_phone import phone
from tests.system.deployment import Origin
from tests.system.http_client import Person
from tests.waiting import wait_until

pytestmark = pytest.mark.front_end

DESCRIPTION = "0:00 Boats come in\n0:20 The crane\n0:40 Home\n\nSee 0:30."


@pytest.fixture(scope="module")
def described(prepared: str, administrator: Person) -> str:
    """The prepared video, with chapters."""
    answer = administrator.patch(f"/api/videos/{prepared}", json={"description": DESCRIPTION})
    assert answer.status_code == 200
    return prepared


@pytest.fixture
def player(page: Page, described: str, administrator: Person) -> Player:
    """The player of the described video, at its start, with Alice signed in."""
    administrator.put(f"/api/videos/{described}/position", json={"position_ms": 0})
    return Player(page).open(described)


def test_chapters_and_times_lead_there(player: Player) -> None:
    page = player.page
    expect(page.locator(".seek-marks span")).to_have_count(2)
    page.locator("#chapters").get_by_text("The crane").click()
    player.until("video.currentTime >= 20 && video.currentTime < 25 && !video.paused")
    expect(page.locator("#chapters [aria-current]")).to_contain_text("The crane")
    page.locator(".description").get_by_role("link", name="0:30").click()
    player.until("video.currentTime >= 30 && video.currentTime < 35")
    page.keyboard.press("k")  # paused, the bar stays
    expect(page.locator(".plyr--hide-controls")).to_have_count(0)
    page.wait_for_selector(".plyr__preview-thumb", state="attached")
    shares = itertools.cycle((0.69, 0.7))

    def label() -> str:
        """What is said where the pointer is, which moves: at first nobody listens yet."""
        box = page.locator(".plyr__progress").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * next(shares), box["y"] + box["height"] / 2)
        return page.locator(".plyr__preview-thumb").inner_text()

    wait_until(lambda: re.match(r"0:4\d · Home", label()), within=15, what="the chapter's name")


def test_the_transcript_is_searched_and_leads_there(player: Player) -> None:
    page = player.page
    page.locator("#transcript > summary").click()
    line = page.locator("#transcript-lines a")
    expect(line).to_have_count(1)
    expect(line).to_contain_text("Good morning & welcome")
    page.get_by_label("Search the transcript").fill("evening")
    expect(page.locator("#transcript-empty")).to_have_text("No line holds these words.")
    page.get_by_label("Search the transcript").fill("WELCOME")
    player.begin_again(at=10)
    line.click()
    player.until("video.currentTime < 5 && !video.paused")
    assert violations(page) == []


@pytest.mark.usefixtures("video")
def test_the_next_video_comes_by_itself_unless_it_is_stopped(
    player: Player, described: str
) -> None:
    page = player.page
    page.get_by_role("switch", name="Autoplay").check()
    page.reload()
    player.wait_for_controls()
    expect(page.get_by_role("switch", name="Autoplay")).to_be_checked()
    player.begin_again(at=59)
    page.keyboard.press("k")
    message = page.get_by_role("group", name="What is next")
    expect(message).to_be_visible()
    assert violations(page) == []
    message.get_by_role("button", name="Stay here").click()
    expect(message).to_be_hidden()
    player.begin_again(at=59)
    page.keyboard.press("k")
    page.wait_for_url(lambda url: not url.endswith(described))
    player.until("!video.paused && video.currentTime > 0")


def test_theatre_mode_and_loop(player: Player) -> None:
    page = player.page
    width = "document.getElementById('player-container').getBoundingClientRect().width"
    before = float(str(player.get(width)))
    page.keyboard.press("t")
    player.until(f"{width} > {before} + 100")
    page.reload()
    player.wait_for_controls()
    player.until(f"{width} > {before} + 100")
    page.locator("#more > summary").click()
    page.get_by_role("button", name="Loop").click()
    page.get_by_role("button", name="Stats for nerds").click()
    expect(page.locator(".player-facts")).to_contain_text(re.compile(r"HLS, \w+"))
    expect(page.get_by_role("button", name="Copy link at 0:00")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    player.begin_again(at=59)
    page.keyboard.press("k")
    player.until("!video.paused && video.currentTime < 30")


def test_a_quality_that_is_chosen_is_announced(player: Player) -> None:
    player.play()
    player.page.evaluate(
        """() => {
            window.said = [];
            new MutationObserver(([{ target }]) => said.push(target.textContent))
                .observe(document.getElementById('player-status'), { childList: true });
        }"""
    )
    player.choose("Quality", "240p")
    player.until("video.videoHeight === 240")
    expect(player.page.locator("#player-status")).to_be_empty()
    assert "Switching to 240p…" in player.page.evaluate("() => said")


def test_a_double_tap_goes_ten_seconds(chromium: Browser, origin: Origin, described: str) -> None:
    with phone(chromium, origin, (390, 844)) as page:
        player = Player(page).open(described)
        box = page.locator("#player-container").bounding_box()
        assert box is not None
        y = box["y"] + 30
        for _ in range(2):
            page.touchscreen.tap(box["width"] * 0.9, y)
        player.until("Math.abs(video.currentTime - 10) < 0.5")
        for button in page.locator(".plyr__controls button:visible").all():
            size = button.bounding_box()
            assert size is not None
            assert min(size["width"], size["height"]) >= 44
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        assert violations(page) == []
