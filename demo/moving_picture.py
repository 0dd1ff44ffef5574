"""The moving picture of the README: a film is uploaded, shared, and watched on a phone."""

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import CDPSession, Page

from demo.catalogue import FILMS, PASSWORD
from demo.client import Client
from demo.pictures import MOVING, save
from demo.rendering import Studio
from demo.running import FILMS_FOLDER
from demo.site import Site, press

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


def take_moving_picture(site: Site) -> None:
    """Take it, and write it as an animated WebP; afterwards the film is deleted."""
    with closing(Client(site.url)) as client:
        client.sign_in(_UPLOADER, PASSWORD)
        _delete(client)
        try:
            frames = [*_upload(site), *_share(site, client), *_watch(site, client)]
        finally:
            _delete(client)
    first, *others = (picture for picture, _ in frames)
    save(
        first,
        MOVING,
        qualities=_QUALITIES,
        save_all=True,
        append_images=others,
        duration=[milliseconds for _, milliseconds in frames],
        loop=0,
        method=4,
        minimize_size=True,
    )


def _upload(site: Site) -> Iterator[Frame]:
    """A film is chosen, and its bytes travel."""
    film = next(film for film in FILMS if film.title == "Regatta, from the jetty")
    with tempfile.TemporaryDirectory() as folder, site.visit(_UPLOADER, _WINDOW) as page:
        file = Path(folder) / f"{_TITLE}.mp4"
        shutil.copyfile(Studio(FILMS_FOLDER).make(film), file)
        page.goto("/upload", wait_until="networkidle")
        yield _on_desktop(page, "Upload: drop a film, or choose one"), 1200
        network = page.context.new_cdp_session(page)
        _limit_speed(network, latency=20, download=4_000_000, upload=_SPEED)
        page.locator("input[type=file]").first.set_input_files(file)
        watch = page.get_by_role("link", name="Watch").first
        for _ in range(12):
            page.wait_for_timeout(600)
            if watch.is_visible():
                break
            yield _on_desktop(page, "It survives a lost network and a closed browser"), 220
        _limit_speed(network, latency=0, download=-1, upload=-1)
        watch.wait_for()
        page.wait_for_timeout(500)
        yield _on_desktop(page, "It can be watched at once"), 1300


def _limit_speed(network: CDPSession, *, latency: int, download: int, upload: int) -> None:
    """Set the network's milliseconds and bytes per second; -1 is no limit."""
    limits = {"latency": latency, "downloadThroughput": download, "uploadThroughput": upload}
    network.send("Network.emulateNetworkConditions", {"offline": False, **limits})


def _share(site: Site, client: Client) -> Iterator[Frame]:
    """It is shared with one person."""
    with site.visit(_UPLOADER, _WINDOW) as page:
        page.goto(f"/stream/{_find(client)[0]}", wait_until="networkidle")
        press(page, "Share")
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
        page.goto("/stream", wait_until="networkidle")
        yield _on_phone(page, text), 1200
        page.goto(f"/stream/{_find(client)[0]}", wait_until="networkidle")
        video = page.locator("video")
        video.evaluate("video => { video.muted = true; return video.play(); }")
        for _ in range(16):
            page.wait_for_timeout(200)
            yield _on_phone(page, text), 200
        yield _on_phone(page, text), 1200


def _find(client: Client) -> list[str]:
    return [video["id"] for video in client.videos("whose=mine") if video["title"] == _TITLE]


def _delete(client: Client) -> None:
    for video in _find(client):
        client.send("DELETE", f"/api/videos/{video}?permanently=1")


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
        pen.circle((x, y), 4, (150, 140, 132))
    mask = Image.new("L", size, 255)
    if not bar:
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, *size), round_by - 8, 255)
    canvas.paste(shot, at, mask)
    font = ImageFont.load_default(size=22)
    pen.text((_CANVAS[0] / 2, _CANVAS[1] - 28), text, _INK, font, anchor="mm")
    return canvas
