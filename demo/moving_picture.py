"""The moving picture of the README: a film is uploaded, shared, and watched on a phone."""

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page

from demo.catalogue import FILMS, PASSWORD
from demo.client import Client
from demo.rendering import Studio
from demo.running import FILMS_FOLDER

SIZE_LIMIT = 200_000  # bytes
_CANVAS = (900, 620)
_WINDOW = (1180, 720)  # of the desktop's browser, in pixels of its page
_PHONE = (390, 844)
_GROUND, _FRAME, _INK = (244, 239, 232), (52, 48, 46), (60, 50, 44)
_QUALITIES = (80, 70, 60, 50, 40)
_TITLE = "Regatta, second race"
_UPLOADER, _VIEWER = "ben", "emma"
_SPEED = 90_000  # bytes per second of the upload, so that it can be seen

Frame = tuple[Image.Image, int]
"""A picture, and for how many milliseconds it is shown."""


class Site(Protocol):
    """A site with people, and a browser in front of it."""

    @property
    def url(self) -> str:
        """The address of the site."""

    def visit(
        self, who: str, size: tuple[int, int], scheme: str = "light"
    ) -> AbstractContextManager[Page]:
        """Open a page in a browser of somebody's."""


def take_moving_picture(site: Site, path: Path) -> None:
    """Take it, and write it as an animated WebP; afterwards the film is deleted."""
    client = Client(site.url)
    client.sign_in(_UPLOADER, PASSWORD)
    _delete(client)
    try:
        frames = [*_upload(site), *_share(site, client), *_watch(site, client)]
    finally:
        _delete(client)
        client.close()
    pictures = [picture for picture, _ in frames]
    times = [milliseconds for _, milliseconds in frames]
    for quality in _QUALITIES:
        written = io.BytesIO()
        pictures[0].save(
            written,
            "WEBP",
            save_all=True,
            append_images=pictures[1:],
            duration=times,
            loop=0,
            quality=quality,
            method=4,
            minimize_size=True,
        )
        if written.tell() < SIZE_LIMIT:
            break
    path.write_bytes(written.getvalue())


def _upload(site: Site) -> Iterator[Frame]:
    """A film is chosen, and its bytes travel."""
    film = next(film for film in FILMS if film.title == "Regatta, from the jetty")
    with tempfile.TemporaryDirectory() as folder, site.visit(_UPLOADER, _WINDOW) as page:
        file = Path(folder) / f"{_TITLE}.mp4"
        shutil.copyfile(Studio(FILMS_FOLDER).make(film), file)
        page.goto("/upload")
        page.wait_for_load_state("networkidle")
        yield _on_desktop(page, "Upload: drop a film, or choose one"), 1200
        network = page.context.new_cdp_session(page)
        network.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": 20,
                "downloadThroughput": 4_000_000,
                "uploadThroughput": _SPEED,
            },
        )
        page.locator("input[type=file]").first.set_input_files(file)
        watch = page.get_by_role("link", name="Watch").first
        for _ in range(12):
            page.wait_for_timeout(600)
            if watch.is_visible():
                break
            yield _on_desktop(page, "It survives a lost network and a closed browser"), 220
        network.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
        )
        watch.wait_for()
        page.wait_for_timeout(500)
        yield _on_desktop(page, "It can be watched at once"), 1300


def _share(site: Site, client: Client) -> Iterator[Frame]:
    """It is shared with one person."""
    with site.visit(_UPLOADER, _WINDOW) as page:
        page.goto(f"/stream/{_find(client)}")
        page.wait_for_load_state("networkidle")
        page.get_by_role("button", name="Share", exact=True).or_(
            page.get_by_role("link", name="Share", exact=True)
        ).first.click()
        who = page.locator("dialog[open] input[name=who]").first
        who.wait_for()
        text = "Share it with exactly the people you choose"
        yield _on_desktop(page, text), 900
        for letters in range(1, len(_VIEWER) + 1):
            who.fill(_VIEWER[:letters])
            yield _on_desktop(page, text), 160
        who.locator("xpath=ancestor::form").locator("[type=submit], button").last.click()
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(500)
        yield _on_desktop(page, text), 1400


def _watch(site: Site, client: Client) -> Iterator[Frame]:
    """The person watches it on a phone."""
    text = "Emma watches it on her phone"
    with site.visit(_VIEWER, _PHONE) as page:
        page.goto("/stream")
        page.wait_for_load_state("networkidle")
        yield _on_phone(page, text), 1200
        page.goto(f"/stream/{_find(client)}")
        page.wait_for_load_state("networkidle")
        video = page.locator("video")
        video.evaluate("video => { video.muted = true; return video.play(); }")
        for _ in range(16):
            page.wait_for_timeout(200)
            yield _on_phone(page, text), 200
        yield _on_phone(page, text), 1200


def _find(client: Client) -> str:
    videos = client.get("/api/videos?whose=mine")["videos"]
    return str(next(video["id"] for video in videos if video["title"] == _TITLE))


def _delete(client: Client) -> None:
    for video in client.get("/api/videos?whose=mine")["videos"]:
        if video["title"] == _TITLE:
            client.send("DELETE", f"/api/videos/{video['id']}?permanently=1")


def _on_desktop(page: Page, text: str) -> Image.Image:
    """Return a page in a window, with a sentence below."""
    width = 840
    height = round(width * _WINDOW[1] / _WINDOW[0])
    return _framed(page, text, (width, height), (30, 44), round_by=10, bar=22)


def _on_phone(page: Page, text: str) -> Image.Image:
    """Return a page on a phone, with a sentence below."""
    height = 530
    width = round(height * _PHONE[0] / _PHONE[1])
    return _framed(page, text, (width, height), ((_CANVAS[0] - width) // 2, 20), round_by=22, bar=0)


def _framed(
    page: Page, text: str, size: tuple[int, int], at: tuple[int, int], *, round_by: int, bar: int
) -> Image.Image:
    shot = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    shot = shot.resize(size, Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", _CANVAS, _GROUND)
    pen = ImageDraw.Draw(canvas)
    left, top = at
    right, bottom = left + size[0], top + size[1]
    edge = 8 if not bar else 1
    box = (left - edge, top - bar - edge, right + edge, bottom + edge)
    pen.rounded_rectangle(box, round_by, _FRAME)
    for number in range(3 if bar else 0):
        x, y = left + 12 + number * 16, top - bar // 2
        pen.ellipse((x - 4, y - 4, x + 4, y + 4), (150, 140, 132))
    mask = Image.new("L", size, 255)
    if not bar:
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, *size), round_by - 8, 255)
    canvas.paste(shot, at, mask)
    font = ImageFont.load_default(size=22)
    pen.text((_CANVAS[0] / 2, _CANVAS[1] - 28), text, _INK, font, anchor="mm")
    return canvas
