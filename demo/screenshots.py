"""Take the pictures of the README and the documentation from the demonstration site.

    python -m demo.screenshots              all of them
    python -m demo.screenshots NAME ...     some of them

The site is `build/demo-site`, on free ports. It is filled the first time; everything is prepared
before the first picture is taken.
"""

import io
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from common.settings import Environment
from demo.catalogue import PASSWORD, PEOPLE, PREPARING
from demo.chromium import FLAGS, find_chromium
from demo.client import Client
from demo.moving_picture import take_moving_picture
from demo.pictures import MOVING, PHONE, PICTURES, Picture
from demo.running import ROOT, fill_here, matinee
from standalone.settings import StandaloneSettings

SCREENSHOTS = ROOT / "docs" / "screenshots"
SIZE_LIMIT = 200_000  # bytes of one picture
_SITE = ROOT / "build" / "demo-site"
_PREPARED_LIMIT = 1800  # seconds until all films must be prepared
_QUALITIES = (86, 78, 70, 60, 50)  # tried until a picture is small enough
_SCALE = 1.5


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


def main(names: list[str]) -> None:
    """Take the pictures with these names, or all."""
    known = [picture.name for picture in PICTURES] + [MOVING]
    if wrong := set(names) - set(known):
        sys.exit(f"There is no picture {', '.join(sorted(wrong))}; there are {', '.join(known)}.")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with demo_site() as site:
        for picture in PICTURES:
            if not names or picture.name in names:
                _save(_take(site, picture), picture.name)
        if not names or MOVING in names:
            take_moving_picture(site, SCREENSHOTS / MOVING)
            _tell_size(MOVING)


@contextmanager
def demo_site() -> Iterator[Site]:
    """Run the demonstration and a browser, once everything is prepared."""
    ports = ",".join(map(str, _free_ports(3)))
    environ = {**os.environ, "DATA_DIR": str(_SITE), "PORTS": ports, "LISTEN_ADDRESS": "127.0.0.1"}
    settings = StandaloneSettings.read(Environment(environ))
    url = settings.urls[0].replace("127.0.0.1", "localhost")
    with matinee(environ), sync_playwright() as playwright:
        fill_here(settings, lambda line: print(f"  {line}", flush=True))
        videos, collections = _contents(url)
        _wait_until_prepared(url, videos)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield Site(url, browser, videos, collections)
        browser.close()


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _contents(url: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the ids of videos and collections by title."""
    videos: dict[str, str] = {}
    collections: dict[str, str] = {}
    for name in PEOPLE:
        client = Client(url)
        client.sign_in(name, PASSWORD)
        after = ""
        while True:
            page = client.get(f"/api/videos?whose=all{after}")
            videos.update({video["title"]: video["id"] for video in page["videos"]})
            if page["next"] is None:
                break
            after = f"&after={page['next']}"
        found = client.get("/api/collections")["collections"]
        collections.update({one["title"]: one["id"] for one in found})
        client.close()
    return videos, collections


def _wait_until_prepared(url: str, videos: dict[str, str]) -> None:
    """Return once nothing is prepared any more, but the film that is held back."""
    deadline = time.monotonic() + _PREPARED_LIMIT
    for name, role in PEOPLE.items():
        if role == "viewer":
            continue
        client = Client(url)
        client.sign_in(name, PASSWORD)
        while True:
            page = client.get("/api/videos?whose=mine&state=processing")
            left = [video["title"] for video in page["videos"] if video["id"] != videos[PREPARING]]
            if not left:
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"Not prepared: {', '.join(left)}")
            print(f"  {len(left)} films of {name} are being prepared", flush=True)
            time.sleep(10)
        client.close()


def _take(site: Site, picture: Picture) -> bytes:
    """Return a picture as PNG."""
    path = picture.path.format(
        video=site.videos[picture.video], collection=site.collections[picture.collection]
    )
    with site.visit(picture.who, picture.size, picture.scheme) as page:
        # Where somebody stopped is not kept, so that the next picture looks the same.
        page.route("**/position", lambda route: route.fulfill(status=204))
        answer = page.goto(path)
        if answer is None or not answer.ok:
            raise RuntimeError(f"{path}: {answer and answer.status}")
        page.wait_for_load_state("networkidle")
        if picture.dialog:
            page.get_by_role("button", name=picture.dialog, exact=True).or_(
                page.get_by_role("link", name=picture.dialog, exact=True)
            ).first.click()
            page.get_by_role("dialog").first.wait_for()
            page.wait_for_load_state("networkidle")
        if picture.plays:
            play_to(page, seconds=12)
        if picture.part:
            return page.locator(f"#{picture.part}").screenshot(animations="disabled")
        return page.screenshot(animations="disabled")


def play_to(page: Page, *, seconds: float) -> None:
    """Show the film at a time, standing still."""
    page.evaluate(
        """async (seconds) => {
            const video = document.querySelector("video");
            video.muted = true;
            await video.play();
            video.currentTime = seconds;
            await new Promise((seeked) => {
                video.addEventListener("seeked", seeked, { once: true });
                setTimeout(seeked, 5000);
            });
            video.pause();
        }""",
        seconds,
    )


def _save(png: bytes, name: str) -> None:
    """Write a picture as WebP, at the best quality at which it is small enough."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for quality in _QUALITIES:
        written = io.BytesIO()
        picture.save(written, "WEBP", quality=quality, method=6)
        if written.tell() < SIZE_LIMIT:
            break
    (SCREENSHOTS / name).write_bytes(written.getvalue())
    _tell_size(name)


def _tell_size(name: str) -> None:
    size = (SCREENSHOTS / name).stat().st_size
    print(f"  {name}: {size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
