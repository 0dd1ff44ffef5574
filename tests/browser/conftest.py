"""A real Chromium in front of a running Matinee.

Every page that a test opens must be free of errors in the console, violations of the content
security policy among them, and of failed requests other than those that the test expects.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from demo.fill import Demo, fill
from tests import media
from tests.browser.kept_videos import KeptVideos
from tests.browser.player import add_captions, prepare
from tests.conftest import CHEAP_HASHES, TOOLS, find_program, free_ports
from tests.system.deployment import Origin, Standalone
from tests.system.http_client import PASSWORD, Person

# Given a name and what prepares a video, returns its id.
PrepareOnce = Callable[[str, Callable[[], str]], str]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    # Otherwise a spare process is started for each profile, which most of them never use.
    "--renderer-process-limit=1",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these need Chromium, and ffmpeg for something to show."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.needs_chromium)
            item.add_marker(pytest.mark.needs_ffmpeg)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without windows."""
    with sync_playwright() as playwright:
        [program, *_] = filter(None, map(find_program, TOOLS["needs_chromium"]))
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def video_file() -> Path:
    """Twelve seconds of H.264 and AAC, index first, ten pictures a second."""
    return media.make("twelve-seconds-slow.mp4")


@pytest.fixture(scope="session")
def prepare_once(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> PrepareOnce:
    """Put a prepared video of that name on the site: of several processes, one prepares it."""
    if isinstance(origin, Standalone) and "PYTEST_XDIST_WORKER" in os.environ:
        return KeptVideos(tmp_path_factory.getbasetemp().parent / "kept-videos", origin).video
    return lambda _name, prepare: prepare()


@pytest.fixture(scope="session")
def video(administrator: Person, video_file: Path, prepare_once: PrepareOnce) -> str:
    """A video of Alice's that everybody may watch, of which everything is prepared."""

    def make() -> str:
        video = prepare(administrator, video_file, title="Morning at the salt pans")
        administrator.show(video, "public")
        return video

    return prepare_once("video", make)


@pytest.fixture(scope="session")
def prepared(administrator: Person, prepare_once: PrepareOnce) -> str:
    """A minute of Alice's that everybody may watch, five pictures a second, with 240p, 360p and
    the original as HLS, a storyboard, and captions in two languages.
    """

    def make() -> str:
        file = media.make("one-minute.mp4")
        video = prepare(administrator, file, title="A minute at the harbour")
        add_captions(administrator, video)
        administrator.show(video, "public")
        return video

    return prepare_once("prepared", make)


@pytest.fixture(scope="session")
def finished(administrator: Person, video_file: Path, prepare_once: PrepareOnce) -> str:
    """A video of Alice's, private, of which everything is prepared."""
    return prepare_once(
        "finished", lambda: prepare(administrator, video_file, title="Snow on the tracks")
    )


@pytest.fixture
def failed(origin: Origin, finished: str) -> str:
    """A video of Alice's, private, of which the poster could not be drawn."""
    lines = "[mjpeg @ 0x55] error while decoding MB 4 2, bytestream -7 " * 12
    origin.change_row(
        "UPDATE jobs SET state = 'failed', attempts = 3, error = 'The poster could not be drawn.',"
        f" log_tail = '{lines}', finished_at = '2026-01-02 03:04:05.000006'"
        f" WHERE video_id = '{finished}' AND kind = 'thumbnails'"
    )
    return finished


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A site of its own, with the people of the demonstration and its four shortest films."""
    folder = tmp_path_factory.mktemp("demo") / "data"
    site = Standalone(folder, free_ports(3), **CHEAP_HASHES)
    site.start()
    try:
        yield fill(site.url, media.CACHE / "demo", films=4)
    finally:
        site.remove()


def watch_console(page: Page, complaints: list[str]) -> None:
    """Note what the page complains about."""

    def note(message: ConsoleMessage) -> None:
        # A status that a test provokes is reported as a failed resource; the test looks at it.
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(f"{page.url}: {message.text}")

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))


def enter(context: BrowserContext, origin: Origin, name: str) -> Page:
    """Sign in through the form, in a new page."""
    page = context.new_page()
    page.goto(f"{origin.url}/login")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/stream")
    return page


@contextmanager
def profile(chromium: Browser, url: str, **options: Any) -> Iterator[BrowserContext]:
    """Open a new browser profile, signed out, and see that its pages do not complain.

    :param url: of the site.
    :param options: of Playwright.
    """
    complaints: list[str] = []
    # Tests answer requests themselves, which a service worker would send before them.
    context = chromium.new_context(base_url=url, service_workers="block", **options)
    context.set_default_timeout(15_000)
    context.on("page", lambda page: watch_console(page, complaints))
    yield context
    context.close()
    assert complaints == []


@pytest.fixture
def context(chromium: Browser, origin: Origin) -> Iterator[BrowserContext]:
    """A new browser profile, signed out."""
    with profile(chromium, origin.url) as context:
        yield context


def sign_in_as(person: Person, context: BrowserContext, *, url: str) -> Page:
    """Give a browser profile somebody's cookies, and return a new page of it."""
    context.add_cookies(
        [
            {"name": cookie.name, "value": cookie.value or "", "url": url}
            for cookie in person.cookies
        ]
    )
    return context.new_page()


@pytest.fixture
def page(context: BrowserContext, origin: Origin, administrator: Person) -> Page:
    """A page in which Alice is signed in."""
    return sign_in_as(administrator, context, url=origin.url)
