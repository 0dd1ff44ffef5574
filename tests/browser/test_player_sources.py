"""Where the player gets its pictures from: the file, HLS, and what it does when either fails."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import enter, sign_in_as
from tests.browser.player import LateRenditions, Player, hold_back_master
from tests.system.deployment import Origin
from tests.system.http_client import Person, sign_up
from tests.waiting import wait_until

# Bits a second: for anything, for the original but not for all of it at once, and for 240p alone.
FAST, FAIR, SLOW = 50_000_000, 4_000_000, 420_000
LONG = 60_000  # milliseconds; what was loaded ahead is shown first


@pytest.fixture
def player(context: BrowserContext, prepared: str) -> Player:
    """The player of a public video, with nobody signed in."""
    return Player(context.new_page())


class Throttle:
    """The speed of a page's line. In one session: of several, the slowest would count."""

    def __init__(self, page: Page) -> None:
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.send("Network.enable")

    def set(self, bits: int) -> None:
        """Slow the line down to so many bits a second, or make it fast again."""
        speed = {"downloadThroughput": bits / 8, "uploadThroughput": bits / 8}
        conditions = {"offline": False, "latency": 5, **speed}
        self._devtools.send("Network.emulateNetworkConditions", conditions)


def test_the_file_is_not_requested_where_there_are_renditions(
    player: Player, prepared: str
) -> None:
    asked: list[str] = []
    failed: list[str] = []
    player.page.on("request", lambda request: asked.append(request.url))
    player.page.on("requestfailed", lambda request: failed.append(request.url))
    player.open(prepared).play()
    assert [url for url in asked if url.endswith("/video.mp4")] == []
    assert failed == []


@pytest.mark.front_end
def test_play_can_be_pressed_before_the_player_is_loaded(player: Player, prepared: str) -> None:
    page = player.page
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile(r"/static/hls-[A-Z0-9]{8}\.js"), hold)
    page.goto(f"/stream/{prepared}")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.locator("#player-container")).to_have_class(re.compile("is-waiting"))
    for route in held:
        route.continue_()
    player.until("video.currentSrc.startsWith('blob:') && video.currentTime > 0.3")
    expect(page.locator("#player-container")).not_to_have_class(re.compile("is-waiting"))


@pytest.mark.front_end
def test_hls_that_appears_while_the_file_plays_is_taken_in_a_pause(
    player: Player, prepared: str
) -> None:
    page = player.page
    hold_back_master(page)
    late = LateRenditions(page, prepared)
    page.goto(f"/stream/{prepared}")
    player.play()
    late.come([240, 360])
    before = float(str(player.get("video.currentTime")))
    player.until(f"video.currentTime > {before} + 1.5")
    assert str(player.get("video.currentSrc")).endswith("/video.mp4"), "nothing interrupts it"
    page.keyboard.press("k")
    stopped = float(str(player.get("video.currentTime")))
    player.until("video.currentSrc.startsWith('blob:') && video.readyState >= 2")
    assert player.get("video.paused")
    assert player.get("video.currentTime") == pytest.approx(stopped, abs=0.1)
    expect(page.locator(".still-frame")).to_have_count(0)
    player.play()


@pytest.mark.front_end
def test_hls_that_appears_while_it_plays_is_taken_at_a_jump(player: Player, prepared: str) -> None:
    page = player.page
    hold_back_master(page)
    late = LateRenditions(page, prepared)
    page.goto(f"/stream/{prepared}")
    player.play()
    late.come([240, 360])
    entries = player.settings("Quality")
    expect(entries).to_have_text(["Auto", "Original", "360p", "240p"])
    expect(entries.filter(has_text="Original")).to_have_attribute("aria-checked", "true")
    page.keyboard.press("Escape")
    assert str(player.get("video.currentSrc")).endswith("/video.mp4")
    page.keyboard.press("8")
    player.until("video.currentSrc.startsWith('blob:') && video.currentTime > 48.3")
    assert not player.get("video.paused")
    assert player.chosen("Quality").startswith("Auto")


@pytest.mark.front_end
def test_hls_that_appears_while_it_plays_can_be_chosen_at_once(
    player: Player, prepared: str
) -> None:
    hold_back_master(player.page)
    late = LateRenditions(player.page, prepared)
    player.page.goto(f"/stream/{prepared}")
    player.play()
    late.come([240, 360, 480])
    player.choose("Quality", "240p")
    player.until("video.currentSrc.startsWith('blob:') && video.videoHeight === 240")
    assert player.chosen("Quality") == "240p"
    assert not player.get("video.paused")


@pytest.mark.front_end
def test_a_rendition_that_comes_while_hls_plays_can_be_chosen_and_stops_nothing(
    player: Player, prepared: str
) -> None:
    late = LateRenditions(player.page, prepared, "360p")
    player.open(prepared).play()
    expect(player.settings("Quality")).to_have_text([re.compile("^Auto"), "Original480p", "240p"])
    player.page.keyboard.press("Escape")
    player.note_stops()
    late.come([240, 360, 480])
    entries = player.settings("Quality")
    expect(entries).to_have_text([re.compile("^Auto"), "Original480p", "360p", "240p"])
    player.page.keyboard.press("Escape")
    player.choose("Quality", "360p")
    assert player.chosen("Quality") == "360p"
    player.until("video.videoHeight === 360")
    assert player.chosen("Quality") == "360p"
    player.choose("Quality", "240p")
    player.until("video.videoHeight === 240")
    assert player.stops() == []


@pytest.mark.front_end
def test_better_renditions_that_come_while_hls_plays_are_used_by_themselves(
    player: Player, prepared: str
) -> None:
    late = LateRenditions(player.page, prepared, "360p", "source")
    player.open(prepared)
    player.get("video.playbackRate = 4")
    player.play()
    player.until("video.buffered.length && video.buffered.end(0) > 25")
    player.note_stops()
    late.come([240, 360, 480])
    player.until("video.videoHeight === 480", timeout=LONG)
    wait_until(lambda: player.chosen("Quality") == "Auto (480p)", what="the menu")
    player.until("video.ended", timeout=LONG)
    assert player.stops() == ["pause"], "at the end of the video"


@pytest.mark.front_end
def test_quality_is_chosen_by_hand(player: Player, prepared: str) -> None:
    player.open(prepared).play()
    entries = player.settings("Quality")
    expect(entries).to_have_text([re.compile(r"^Auto"), "Original480p", "360p", "240p"])
    entries.filter(has_text="240p").last.click()
    player.page.keyboard.press("Escape")
    player.until("video.videoHeight === 240")
    assert player.chosen("Quality") == "240p"
    player.choose("Quality", "Original")
    player.until("video.videoHeight === 480")
    player.choose("Quality", "Auto")
    assert re.fullmatch(r"Auto \(\d{3}p\)", player.chosen("Quality"))
    assert not player.get("video.paused")


@pytest.mark.front_end
def test_quality_follows_the_line_down_and_up_without_stopping(
    player: Player, prepared: str
) -> None:
    page = player.page
    line = Throttle(page)
    line.set(FAIR)
    player.open(prepared)
    # It begins with little, and has gone up before anybody presses play.
    player.until("video.buffered.length && video.buffered.end(0) > 7")
    player.note_stops()
    line.set(SLOW)
    player.play()
    player.until("video.videoHeight === 480")
    player.until("video.videoHeight === 240", timeout=LONG)
    wait_until(lambda: player.chosen("Quality") == "Auto (240p)", what="the menu")
    player.until("video.currentTime > 20", timeout=LONG)
    line.set(FAST)
    player.get("video.playbackRate = 4")  # what was loaded from the slow line comes first
    player.until("video.videoHeight > 240", timeout=LONG)
    assert player.stops() == []
    assert not player.get("video.paused")
    expect(page.get_by_role("alert")).to_be_hidden()


@pytest.mark.front_end
@pytest.mark.parametrize(
    ("what", "respond"),
    [
        (re.compile(r"/static/hls-[A-Z0-9]{8}\.js"), lambda route: route.abort()),
        (re.compile(r"master\.m3u8"), lambda route: route.fulfill(status=500)),
        (re.compile(r"master\.m3u8"), lambda route: route.fulfill(body="no playlist")),
    ],
    ids=["no script", "no playlist", "nonsense"],
)
def test_the_file_plays_when_hls_does_not(
    player: Player, prepared: str, what: re.Pattern[str], respond: Callable[[Route], Any]
) -> None:
    page = player.page
    page.route(what, respond)
    page.goto(f"/stream/{prepared}#t=20")
    player.until("video.currentSrc.endsWith('/video.mp4') && video.readyState >= 2")
    player.until("Math.abs(video.currentTime - 20) < 0.5")
    player.play()
    expect(page.get_by_role("alert")).to_be_hidden()


@pytest.mark.front_end
def test_the_browsers_own_hls_is_used_where_scripts_cannot(player: Player, prepared: str) -> None:
    page = player.page
    page.add_init_script("delete window.MediaSource; delete window.ManagedMediaSource")
    page.goto(f"/stream/{prepared}")
    player.until("video.currentSrc.endsWith('/master.m3u8') && video.readyState >= 2")
    player.play()


@pytest.mark.front_end
def test_when_nothing_plays_a_sentence_says_so(player: Player, prepared: str) -> None:
    page = player.page
    nonsense = {"status": 200, "body": "nothing", "content_type": "video/mp4"}
    page.route("**/video.mp4", lambda route: route.fulfill(**nonsense))
    page.route("**/master.m3u8", lambda route: route.fulfill(status=500))
    page.goto(f"/stream/{prepared}")
    expect(page.get_by_role("alert")).to_contain_text("This browser cannot play H.264 video")


def test_a_line_that_comes_back_needs_no_hand(player: Player, prepared: str) -> None:
    page = player.page
    player.open(prepared).play()
    with page.expect_event("requestfailed", lambda request: "/hls/" in request.url):
        page.context.set_offline(True)
        page.keyboard.press("9")
    page.context.set_offline(False)
    player.until("video.currentTime > 54.3")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_the_end_of_the_session_is_said_in_words(
    context: BrowserContext, origin: Origin, administrator: Person, prepared: str
) -> None:
    administrator.show(prepared, "members")
    try:
        with sign_up(origin.url, "bob-at-the-end") as bob:
            page = sign_in_as(bob, context, url=origin.url)
        player = Player(page).open(prepared).play()
        context.clear_cookies()
        page.keyboard.press("9")
        expect(page.get_by_role("alert")).to_contain_text("You are signed out")
        # Signed in again in another tab, it goes on here.
        enter(context, origin, "bob-at-the-end").close()
        page.evaluate("() => dispatchEvent(new Event('focus'))")
        player.until("video.currentTime > 54.3")
        expect(page.get_by_role("alert")).to_be_hidden()
    finally:
        administrator.show(prepared, "public")


def test_a_video_that_is_taken_away_is_said_in_words(
    context: BrowserContext, origin: Origin, administrator: Person, prepared: str
) -> None:
    with sign_up(origin.url, "charlie-shut-out") as charlie:
        page = sign_in_as(charlie, context, url=origin.url)
    player = Player(page).open(prepared).play()
    administrator.show(prepared, "private")
    changed = int(time.time())
    try:
        # A gateway grants for a second of the clock, in which the end of a short video is loaded.
        wait_until(lambda: time.time() >= changed + 1, what="the end of what was granted")
        page.keyboard.press("9")
        expect(page.get_by_role("alert")).to_contain_text("you may no longer watch it")
        assert player.get("video.error") is None
    finally:
        administrator.show(prepared, "public")
