"""What the tests of the player share: a prepared video, and what a person sees of its player."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, Route
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.system.http_client import Person
from tests.waiting import wait_until

PATIENCE = 240  # seconds for all renditions of a minute of video, on a busy machine

# A script's `() => …` over the video element.
VIDEO = "document.querySelector('video')"

STATE = """JSON.stringify({
    at: video.currentTime, ready: video.readyState, seeking: video.seeking, paused: video.paused,
    source: video.currentSrc, error: video.error?.message, focus: document.activeElement?.outerHTML,
})"""

ENGLISH = "WEBVTT\n\n00:00.000 --> 01:00.000\nGood <b>morning</b> & welcome\n"
GERMAN = "WEBVTT\n\n00:00.000 --> 01:00.000\nGuten Morgen\n"

# What a stranger may call a track. It is shown, and does nothing.
HOSTILE_LABEL = "Deutsch <img src=x onerror=alert(1)>"


def prepare(person: Person, video_file: Path, *, title: str) -> str:
    """Upload a video, and return its id once everything of it is prepared."""
    video = person.upload(video_file, title=title)

    def state() -> str:
        answer = person.get(f"/api/videos/{video}/progress", headers={"Accept": "application/json"})
        return str(answer.json()["state"])

    wait_until(lambda: state() == "done", within=PATIENCE, pause=0.3, what="all renditions")
    return video


def add_captions(person: Person, video: str) -> None:
    """Give a video captions in two languages, one of them with a label that attacks."""
    for language, label, text in (("en", "English", ENGLISH), ("de", HOSTILE_LABEL, GERMAN)):
        answer = person.post(
            f"/stream/{video}/captions",
            data={"language": language, "label": label},
            files={"file": (f"{language}.vtt", text, "text/vtt")},
        )
        assert answer.status_code == 303, answer.text


class Player:
    """The player of the page that is open, as a person with a mouse meets it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, video: str, *, fragment: str = "") -> "Player":
        """Go to a video's page, and wait until it can be played and controlled."""
        self.page.goto(f"/stream/{video}{fragment}")
        self.until("video.currentSrc.startsWith('blob:') && video.readyState >= 2")
        self.wait_for_controls()
        return self

    def wait_for_controls(self) -> None:
        """Wait for the control bar, which comes after the first picture, and for the keys."""
        self.page.wait_for_selector(".plyr__controls", state="attached")

    def until(self, condition: str, *, timeout: float | None = None) -> None:
        """Wait until something is true of `video`; `timeout` in milliseconds.

        Looking at every frame, as is the default, would have Chromium draw sixty a second.
        """
        expression = f"() => {{ const video = {VIDEO}; return {condition} }}"
        try:
            self.page.wait_for_function(expression, timeout=timeout, polling=50)
        except PlaywrightTimeoutError as error:
            raise AssertionError(f"not: {condition}; {self.get(STATE)}") from error

    def get(self, expression: str) -> object:
        """Return what an expression of `video` is now."""
        return self.page.evaluate(f"() => {{ const video = {VIDEO}; return {expression} }}")

    def begin_again(self, *, at: float) -> None:
        """Let nothing be as the keys left it: paused, at so many seconds, and loud as at first."""
        self.get(
            f"""(video.pause(), video.volume = 1, video.muted = false, video.playbackRate = 1,
                video.currentTime = {at})"""
        )
        self.until(
            "video.paused && !video.seeking && video.readyState >= 2 && !video.muted"
            f" && video.playbackRate === 1 && Math.abs(video.currentTime - {at}) < 0.1"
        )

    def play(self) -> "Player":
        """Press k, and see it move."""
        self.wait_for_controls()
        before = self.get("video.currentTime")
        self.page.keyboard.press("k")
        self.until(f"video.currentTime > {before} + 0.3")
        return self

    def note_stops(self) -> None:
        """Note from now on whatever stops the picture, for :meth:`stops`.

        Waiting counts where nothing more is buffered. A browser also waits for its own decoder, on
        a machine that is busy with something else; no player can help that.
        """
        self.page.evaluate(
            f"""() => {{
                const video = {VIDEO};
                window.stops = [];
                const ahead = () => {{
                    const {{ buffered, currentTime: now }} = video;
                    for (let index = 0; index < buffered.length; index += 1)
                        if (buffered.start(index) <= now && now < buffered.end(index))
                            return buffered.end(index) - now;
                    return 0;
                }};
                const note = ({{ type }}) => {{
                    if (type !== 'waiting' || ahead() < 0.5) window.stops.push(type);
                }};
                for (const name of ['waiting', 'pause', 'seeking', 'emptied', 'error'])
                    video.addEventListener(name, note);
            }}"""
        )

    def stops(self) -> object:
        """Return what has stopped the picture since then."""
        return self.page.evaluate("() => window.stops")

    def show_bar(self) -> None:
        """Move the mouse over the picture, so that the buttons are there."""
        box = self.page.locator("#player-container").bounding_box()
        assert box is not None
        for offset in (20, 30):
            self.page.mouse.move(box["x"] + offset, box["y"] + 40)

    def _press_settings(self) -> Locator:
        """Press the button of the settings, and return it.

        The bar hides while the video plays. On a busy machine that may be between a look at the
        button and the click, so the mouse is moved again until the button is pressed.
        """
        button = self.page.get_by_role("button", name="Settings", exact=True)

        def pressed() -> bool:
            self.show_bar()
            button.hover(force=True)  # the bar stays while the mouse is over it
            try:
                button.click(timeout=2000)
            except PlaywrightTimeoutError:
                return False
            return True

        wait_until(pressed, within=15, what="the settings to be pressed")
        return button

    def settings(self, section: str) -> Locator:
        """Open a list of choices of the settings, and return its entries."""
        button = self.page.get_by_role("button", name="Settings", exact=True)
        if button.get_attribute("aria-expanded") == "false":
            self._press_settings()
        self.page.get_by_role("menuitem", name=section).click()
        return self.page.get_by_role("menuitemradio")

    def choose(self, section: str, entry: str) -> None:
        """Choose an entry of the settings, and close them."""
        self.settings(section).filter(has_text=entry).first.click()
        self.page.keyboard.press("Escape")

    def chosen(self, section: str) -> str:
        """Return what the settings say is chosen in a section."""
        button = self._press_settings()
        words = (
            self.page.get_by_role("menuitem", name=section).locator(".current-value").inner_text()
        )
        button.click()
        return words


def hold_back_master(page: Page) -> None:
    """Have the video's page say nothing of its renditions, as if none were prepared yet."""

    def without(route: Route) -> None:
        answer = route.fetch()
        lines = answer.text().splitlines()
        route.fulfill(
            response=answer, body="\n".join(line for line in lines if "data-master" not in line)
        )

    page.route("**/stream/*", without)


class LateRenditions:
    """Master playlists without some renditions, until these are said to be there."""

    def __init__(self, page: Page, video: str, *names: str) -> None:
        self._page, self._video, self._names = page, video, names
        page.route("**/master.m3u8", self._answer)

    def _answer(self, route: Route) -> None:
        answer = route.fetch()
        text = answer.text()
        for name in self._names:
            text = re.sub(rf"#EXT-X-STREAM-INF:.*\nhls/{name}\.m3u8\n", "", text)
        route.fulfill(response=answer, body=text)

    def come(self, heights: list[int]) -> None:
        """Let all be there, and tell the page of it as its news would."""
        self._names = ()
        detail = {"heights": heights, "master": f"/stream/{self._video}/master.m3u8"}
        self._page.evaluate(
            "(detail) => document.dispatchEvent(new CustomEvent('matinee:renditions', { detail }))",
            detail,
        )
