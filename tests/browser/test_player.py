"""The player: what plays, what is remembered, and what the keys do."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.browser.conftest import profile, sign_in_as
from tests.browser.player import HOSTILE_LABEL, VIDEO, Player
from tests.system.deployment import Origin
from tests.system.http_client import Person
from tests.waiting import wait_until


@pytest.fixture
def player(page: Page, prepared: str, administrator: Person) -> Player:
    """The player of a prepared video, at its start, with Alice signed in."""
    administrator.put(f"/api/videos/{prepared}/position", json={"position_ms": 0})
    return Player(page)


@pytest.fixture(scope="module")
def opened(
    chromium: Browser, origin: Origin, prepared: str, administrator: Person
) -> Iterator[Player]:
    """The player of a prepared video, open in one page for the tests that need nothing else."""
    with profile(chromium, origin.url) as context:
        yield Player(sign_in_as(administrator, context, url=origin.url)).open(prepared)


@pytest.fixture
def paused(opened: Player) -> Player:
    """That player at its start, with the focus nowhere."""
    opened.begin_again(at=0)
    opened.page.evaluate("() => document.activeElement.blur()")
    return opened


@pytest.mark.front_end
def test_storyboard_shows_where_the_pointer_is(paused: Player) -> None:
    page = paused.page
    paused.show_bar()
    page.wait_for_selector(".plyr__preview-thumb", state="attached")
    box = page.locator(".plyr__progress").bounding_box()
    assert box is not None
    for share in (0.49, 0.5):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
    picture = page.locator(".plyr__preview-thumb--is-shown img")
    expect(picture).to_be_visible()
    assert str(picture.get_attribute("src")).endswith("/storyboard.jpg")
    expect(page.locator(".plyr__preview-thumb")).to_have_text(re.compile(r"^0:30"))


@pytest.mark.front_end
def test_captions_are_shown_as_text_and_remembered(player: Player, prepared: str) -> None:
    page = player.open(prepared).page
    caption = page.locator(".captions p")
    expect(caption).to_have_count(0)
    page.keyboard.press("c")
    expect(caption).to_have_text("Good morning & welcome")
    expect(page.get_by_role("status")).to_have_text("Captions on")
    entries = player.settings("Captions")
    assert set(entries.all_inner_texts()) == {"Off", "English", HOSTILE_LABEL}
    entries.filter(has_text="Deutsch").click()
    expect(caption).to_have_text("Guten Morgen")
    page.reload()
    expect(caption).to_have_text("Guten Morgen")
    page.keyboard.press("c")
    expect(caption).not_to_be_visible()
    page.reload()
    player.until("video.readyState >= 2")
    assert player.chosen("Captions") == "Off"
    expect(caption).not_to_be_visible()


@pytest.mark.front_end
def test_volume_and_speed_are_remembered(player: Player, prepared: str) -> None:
    player.open(prepared)
    player.choose("Speed", "1.5")
    player.page.keyboard.press("ArrowDown")
    player.page.keyboard.press("ArrowDown")
    player.until("JSON.parse(localStorage['matinee.player'] ?? '{}').volume < 0.94")
    player.open(prepared)
    player.until("video.playbackRate === 1.5 && Math.abs(video.volume - 0.9) < 0.01")
    assert player.chosen("Speed").startswith("1.5")


def test_it_goes_on_where_it_stopped_on_any_device(
    player: Player, prepared: str, chromium: Browser, origin: Origin, administrator: Person
) -> None:
    page = player.open(prepared).page
    page.keyboard.press("5")
    player.play()
    with page.expect_response(lambda answer: answer.url.endswith("/position")) as saved:
        page.keyboard.press("k")
    assert saved.value.status == 204
    stopped = float(str(player.get("video.currentTime")))
    assert json.loads(str(saved.value.request.post_data))["position_ms"] / 1000 == pytest.approx(
        stopped, abs=0.3
    )
    page.reload()
    expect(page.get_by_role("status")).to_have_text(re.compile(r"Resumed at 0:3\d"))
    player.until(f"Math.abs(video.currentTime - {stopped}) < 0.5 && video.readyState >= 2")
    expect(page.get_by_role("timer", name="Length")).to_have_text("1:00")
    expect(page.get_by_role("timer", name="Current time")).to_have_text(re.compile(r"0:3\d"))

    with chromium.new_context(base_url=origin.url) as other:
        elsewhere = Player(sign_in_as(administrator, other, url=origin.url)).open(prepared)
        elsewhere.until(f"Math.abs(video.currentTime - {stopped}) < 0.5")
        elsewhere.open(prepared, fragment="?#t=0:12")
        elsewhere.until("Math.abs(video.currentTime - 12) < 0.5")


@pytest.mark.front_end
def test_a_resumed_video_can_start_over(
    player: Player, prepared: str, administrator: Person
) -> None:
    administrator.put(f"/api/videos/{prepared}/position", json={"position_ms": 42_000})
    page = player.open(prepared).page
    player.until("Math.abs(video.currentTime - 42) < 0.5")
    page.get_by_role("button", name="Start over").click()
    player.until("video.currentTime < 0.5")
    expect(page.get_by_role("button", name="Start over")).to_have_count(0)


@pytest.mark.front_end
def test_the_first_seconds_are_not_resumed(
    player: Player, prepared: str, administrator: Person
) -> None:
    administrator.put(f"/api/videos/{prepared}/position", json={"position_ms": 1_000})
    page = player.open(prepared).page
    assert player.get("video.currentTime") == 0
    expect(page.get_by_role("button", name="Start over")).to_have_count(0)


@pytest.mark.front_end
def test_the_address_says_where_to_begin_in_its_query_too(player: Player, prepared: str) -> None:
    player.open(prepared, fragment="?t=25")
    player.until("Math.abs(video.currentTime - 25) < 0.5")


@pytest.mark.front_end
def test_lock_screens_are_told_the_title_and_the_poster(paused: Player, prepared: str) -> None:
    metadata = paused.page.evaluate(
        """() => {
            const { title, artist, artwork } = navigator.mediaSession.metadata;
            return [title, artist, artwork.map(({ src }) => new URL(src).pathname)];
        }"""
    )
    assert metadata == ["A minute at the harbour", "alice", [f"/stream/{prepared}/poster.jpg"]]


def test_leaving_the_page_saves_the_position(
    player: Player, prepared: str, administrator: Person
) -> None:
    page = player.open(prepared).page
    page.keyboard.press("3")
    player.play()
    page.goto("/stream")  # it still plays, so nothing but leaving sends the position
    kept = re.compile(r'data-position="1[89]')
    wait_until(
        lambda: kept.search(administrator.get(f"/stream/{prepared}").text), what="the position"
    )


def test_somebody_signed_out_watches_and_nothing_is_sent_about_it(
    context: BrowserContext, prepared: str
) -> None:
    page = context.new_page()
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method not in ("GET", "HEAD"):
            sent.append(request.url)

    page.on("request", note)
    player = Player(page).open(prepared).play()
    page.keyboard.press("k")
    player.until("video.paused")
    page.goto("/login")
    assert sent == []


KEYS = [
    (" ", "!video.paused"),
    ("k", "!video.paused"),
    ("ArrowRight", "Math.abs(video.currentTime - 35) < 0.2"),
    ("ArrowLeft", "Math.abs(video.currentTime - 25) < 0.2"),
    ("l", "Math.abs(video.currentTime - 40) < 0.2"),
    ("j", "Math.abs(video.currentTime - 20) < 0.2"),
    ("0", "video.currentTime === 0"),
    ("7", "Math.abs(video.currentTime - 42) < 0.2"),
    (".", "video.currentTime > 30.03 && video.currentTime < 30.05"),
    (",", "video.currentTime < 29.97 && video.currentTime > 29.95"),
    ("ArrowDown", "video.volume === 0.95"),
    ("m", "video.muted"),
    (">", "video.playbackRate === 1.25"),
    ("<", "video.playbackRate === 0.75"),
    ("f", "document.fullscreenElement?.id === 'player-container'"),
    ("c", "document.querySelector('.captions p')"),
]


@pytest.mark.front_end
@pytest.mark.parametrize("focus", ["page", "player"])
def test_each_key_does_one_thing_once(opened: Player, focus: str) -> None:
    player, page = opened, opened.page
    for key, condition in KEYS:
        player.begin_again(at=30)
        if focus == "player":
            page.locator("[data-plyr=seek]").focus()
        else:
            page.evaluate("() => document.activeElement.blur()")
        page.keyboard.press(key)
        player.until(condition)
        if key in ("f", "c"):
            page.keyboard.press(key)
            player.until(f"!({condition})")


@pytest.mark.front_end
def test_keys_in_fields_are_left_alone(paused: Player) -> None:
    player, page = paused, paused.page
    page.get_by_label("Search videos").fill("k")
    page.keyboard.press("l")
    assert player.get("video.currentTime") == 0
    page.locator("[data-plyr=volume]").focus()
    page.keyboard.press("ArrowLeft")
    player.until("video.volume < 1")
    assert player.get("video.currentTime") == 0


@pytest.mark.front_end
def test_keys_work_wherever_the_focus_is_and_after_the_list_of_them(paused: Player) -> None:
    player, page = paused, paused.page
    page.get_by_role("link", name="Library").focus()
    page.keyboard.press("l")
    player.until("Math.abs(video.currentTime - 10) < 0.2")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    page.keyboard.press("l")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert player.get("video.currentTime") == pytest.approx(10, abs=0.2)
    page.locator("#more > summary").click()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("l")
    player.until("Math.abs(video.currentTime - 20) < 0.2")


@pytest.mark.front_end
def test_the_settings_are_used_with_the_keyboard_alone(paused: Player) -> None:
    player, page = paused, paused.page
    page.get_by_role("button", name="Settings", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Quality")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("menuitemradio", name="0.25")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Speed")).to_be_focused()
    player.until("video.playbackRate === 2")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Settings", exact=True)).to_be_focused()
    expect(page.get_by_role("menuitem", name="Speed")).to_have_count(0)


@pytest.mark.front_end
def test_picture_in_picture_is_there_where_the_browser_has_it(paused: Player) -> None:
    player, page = paused, paused.page
    assert page.evaluate("() => document.pictureInPictureEnabled")
    player.show_bar()
    expect(page.get_by_role("button", name="Picture in picture")).to_be_visible()
    asked = f"""() => {{
        {VIDEO}.requestPictureInPicture = async () => {{ {VIDEO}.dataset.asked = 'yes' }}
    }}"""
    page.evaluate(asked)
    page.keyboard.press("i")
    player.until("video.dataset.asked === 'yes'")


def test_without_javascript_the_browsers_own_player_is_there(
    chromium: Browser, origin: Origin, prepared: str
) -> None:
    with chromium.new_context(base_url=origin.url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"/stream/{prepared}")
        video = page.locator("video")
        assert video.get_attribute("controls") is not None
        assert page.locator("video track").count() == 2
