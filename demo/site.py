"""The demonstration site on this machine, with Debian's Chromium in front of it."""

import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from common.settings import Environment
from demo.catalogue import PASSWORD, PEOPLE, PREPARING
from demo.client import Client
from demo.pictures import PHONE
from demo.running import ROOT, fill_here, matinee, tell
from standalone.settings import StandaloneSettings

_SITE = ROOT / "build" / "demo-site"
_PREPARED_LIMIT = 1800  # seconds until all films must be prepared
_SCALE = 1.5
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars",
    "--autoplay-policy=no-user-gesture-required",
]


@dataclass(frozen=True)
class Site:
    """The demonstration, as a browser reaches it."""

    url: str
    browser: Browser
    videos: dict[str, str]
    collections: dict[str, str]

    @contextmanager
    def visit(self, who: str, size: tuple[int, int], scheme: str = "light") -> Iterator[Page]:
        """Open a page in a browser of somebody's, on a screen of a size."""
        is_phone = size == PHONE
        context = self.browser.new_context(
            base_url=self.url,
            viewport={"width": size[0], "height": size[1]},
            device_scale_factor=2 if is_phone else _SCALE,
            color_scheme="dark" if scheme == "dark" else "light",
            has_touch=is_phone,
            is_mobile=is_phone,
            locale="en-GB",
            timezone_id="Europe/Berlin",
            reduced_motion="reduce",
        )
        context.set_default_timeout(20_000)
        if who:
            self._sign_in(context, who)
        try:
            yield context.new_page()
        finally:
            context.close()

    def _sign_in(self, context: BrowserContext, who: str) -> None:
        answer = context.request.post(
            "/login",
            form={"username": who, "password": PASSWORD},
            headers={"Sec-Fetch-Site": "same-origin"},
            max_redirects=0,
        )
        if answer.status != 303:
            raise RuntimeError(f"{who} cannot sign in: {answer.status}")


@contextmanager
def demo_site() -> Iterator[Site]:
    """Run the demonstration and a browser, once everything is prepared."""
    ports = ",".join(map(str, _free_ports(3)))
    environ = {**os.environ, "DATA_DIR": str(_SITE), "PORTS": ports, "LISTEN_ADDRESS": "127.0.0.1"}
    settings = StandaloneSettings.read(Environment(environ))
    url = settings.urls[0].replace("127.0.0.1", "localhost")
    with matinee(environ), sync_playwright() as playwright:
        fill_here(settings)
        videos, collections = _contents(url)
        _wait_until_prepared(url, videos)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield Site(url, browser, videos, collections)
        browser.close()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as opened:
        local = ("127.0.0.1", 0)
        probes = [opened.enter_context(socket.create_server(local)) for _ in range(count)]
        return [probe.getsockname()[1] for probe in probes]


@contextmanager
def _signed_in(url: str, name: str) -> Iterator[Client]:
    with closing(Client(url)) as client:
        client.sign_in(name, PASSWORD)
        yield client


def _contents(url: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the ids of videos and collections by title."""
    videos: dict[str, str] = {}
    collections: dict[str, str] = {}
    for name in PEOPLE:
        with _signed_in(url, name) as client:
            videos.update({video["title"]: video["id"] for video in client.videos("whose=all")})
            found = client.get("/api/collections")["collections"]
            collections.update({one["title"]: one["id"] for one in found})
    return videos, collections


def _wait_until_prepared(url: str, videos: dict[str, str]) -> None:
    """Return once nothing is prepared any more, but the film that is held back."""
    deadline = time.monotonic() + _PREPARED_LIMIT
    for name, role in PEOPLE.items():
        if role == "viewer":
            continue
        with _signed_in(url, name) as client:
            while True:
                found = client.videos("whose=mine&state=processing")
                left = [video["title"] for video in found if video["id"] != videos[PREPARING]]
                if not left:
                    break
                if time.monotonic() > deadline:
                    raise TimeoutError(f"Not prepared: {', '.join(left)}")
                tell(f"{len(left)} films of {name} are being prepared")
                time.sleep(10)


def press(page: Page, name: str) -> None:
    """Press the button or link with a name."""
    button = page.get_by_role("button", name=name, exact=True)
    button.or_(page.get_by_role("link", name=name, exact=True)).first.click()


def find_chromium() -> str:
    """Return the path of the browser.

    :raises FileNotFoundError: it is not installed.
    """
    for name in ("chromium-headless-shell", "chromium"):
        if found := shutil.which(name):
            return found
    raise FileNotFoundError("Chromium is not installed: apt-get install chromium-headless-shell")
