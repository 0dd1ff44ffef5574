"""What the tests of the player share: a prepared video, and what a person sees of its player."""

from pathlib import Path

from playwright.sync_api import Locator, Page, Route

from tests.system.people import Person
from tests.waiting import wait_until

PATIENCE = 240  # seconds for all renditions of a minute of film, on a busy machine

# A script's `() => …` over the video element.
VIDEO = "document.querySelector('video')"

ENGLISH = "WEBVTT\n\n00:00.000 --> 01:00.000\nGood <b>morning</b> & welcome\n"
GERMAN = "WEBVTT\n\n00:00.000 --> 01:00.000\nGuten Morgen\n"

# What a stranger may call a track. It is shown, and does nothing.
HOSTILE_LABEL = "Deutsch <img src=x onerror=alert(1)>"


def prepare(person: Person, film: Path, *, title: str) -> str:
    """Upload a film, give it captions, and return its id once everything of it is prepared."""
    video = person.upload(film, title=title)

    def state() -> str:
        answer = person.get(f"/api/videos/{video}/progress", headers={"Accept": "application/json"})
        return str(answer.json()["state"])

    wait_until(lambda: state() == "done", within=PATIENCE, what="all renditions")
    for language, label, text in (("en", "English", ENGLISH), ("de", HOSTILE_LABEL, GERMAN)):
        answer = person.post(
            f"/stream/{video}/captions",
            data={"language": language, "label": label},
            files={"file": (f"{language}.vtt", text, "text/vtt")},
        )
        assert answer.status_code == 303, answer.text
    return video


class Player:
    """The player of the page that is open, as a person with a mouse meets it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, video: str, *, fragment: str = "") -> "Player":
        """Go to a video's page, and wait until HLS has taken over."""
        self.page.goto(f"/stream/{video}{fragment}")
        self.until("video.currentSrc.startsWith('blob:') && video.readyState >= 2")
        return self

    def until(self, condition: str, *, timeout: float | None = None) -> None:
        """Wait until something is true of `video`; `timeout` in milliseconds."""
        self.page.wait_for_function(
            f"() => {{ const video = {VIDEO}; return {condition} }}", timeout=timeout
        )

    def get(self, expression: str) -> object:
        """Return what an expression of `video` is now."""
        return self.page.evaluate(f"() => {{ const video = {VIDEO}; return {expression} }}")

    def play(self) -> "Player":
        """Press k, and see it move."""
        before = self.get("video.currentTime")
        self.page.keyboard.press("k")
        self.until(f"video.currentTime > {before} + 0.3")
        return self

    def show_bar(self) -> None:
        """Move the mouse over the picture, so that the buttons are there."""
        box = self.page.locator("#screen").bounding_box()
        assert box is not None
        for offset in (20, 30):
            self.page.mouse.move(box["x"] + offset, box["y"] + 40)

    def settings(self, section: str) -> Locator:
        """Open a list of choices of the settings, and return its entries."""
        self.show_bar()
        button = self.page.get_by_role("button", name="Settings", exact=True)
        if button.get_attribute("aria-expanded") == "false":
            button.click()
        self.page.get_by_role("menuitem", name=section).click()
        return self.page.get_by_role("menuitemradio")

    def choose(self, section: str, entry: str) -> None:
        """Choose an entry of the settings, and close them."""
        self.settings(section).filter(has_text=entry).first.click()
        self.page.keyboard.press("Escape")

    def chosen(self, section: str) -> str:
        """Return what the settings say is chosen in a section."""
        self.show_bar()
        button = self.page.get_by_role("button", name="Settings", exact=True)
        button.click()
        words = self.page.get_by_role("menuitem", name=section).locator(".now").inner_text()
        button.click()
        return words


def hold_hls_back(page: Page) -> None:
    """Have the video's page say nothing of HLS, as it is before the first rendition is made."""

    def without(route: Route) -> None:
        answer = route.fetch()
        lines = answer.text().splitlines()
        route.fulfill(
            response=answer, body="\n".join(line for line in lines if "data-master" not in line)
        )

    page.route("**/stream/*", without)
