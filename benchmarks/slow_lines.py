"""How long a viewer on a slow line waits for a picture that moves, and how long a quality takes."""

import statistics
import time
from dataclasses import dataclass
from typing import NamedTuple

from playwright.sync_api import Browser, CDPSession

from benchmarks.browser import chromium, count_bytes, signed_in
from benchmarks.options import Bench
from benchmarks.processing import sample_video
from benchmarks.report import table
from benchmarks.sites import Site

_HEIGHT = 1080
_TIMEOUT = 120_000  # milliseconds to a picture
_PROCESSING = 1800  # seconds

# A film moves when a second frame is shown.
_WATCH_PICTURE = """
    addEventListener('DOMContentLoaded', () => {
        const video = document.querySelector('video');
        let frames = 0;
        const note = () => {
            frames += 1;
            if (frames > 1 && !video.paused) window.moving = true;
            else video.requestVideoFrameCallback(note);
        };
        video?.requestVideoFrameCallback(note);
    });
"""
_PLAY = "#first-play:not([hidden]), .plyr__control--overlaid"


@dataclass(frozen=True)
class _Line:
    name: str
    kilobits: int
    latency: int  # milliseconds
    aim: float  # seconds


_LINES = (_Line("400 kbit/s, 300 ms", 400, 300, 10), _Line("1.6 Mbit/s, 150 ms", 1600, 150, 3))


class _Wait(NamedTuple):
    """How long somebody waited for the picture: to the second frame.

    :ivar scripts: bytes of scripts that had arrived by then, compressed.
    :ivar total: bytes of everything.
    """

    seconds: float
    scripts: int
    total: int


def run(bench: Bench) -> str:
    """Measure, and return the section."""
    site = bench.standalone
    video = site.admin.upload(sample_video(1))
    _wait_until_prepared(site, video)
    rows, switches = [], []
    with chromium() as browser:
        for line in _LINES:
            from_library, by_address = [], []
            for _ in range(bench.options.rounds):
                from_library.append(_measure(browser, site, video, line, from_library=True))
                by_address.append(_measure(browser, site, video, line, from_library=False))
            rows.append(_row(line, "from the library", from_library))
            rows.append(_row(line, "by its address", by_address))
            print(f"  {rows[-2:]}", flush=True)
        for _ in range(bench.options.rounds):
            switches += _switches(browser, site, video)
    return _section(bench, rows, switches)


def _wait_until_prepared(site: Site, video: str) -> None:
    deadline = time.monotonic() + _PROCESSING
    path, headers = f"/api/videos/{video}/progress", {"Accept": "application/json"}
    while site.admin.get(path, headers=headers).json()["state"] != "done":
        if time.monotonic() > deadline:
            raise TimeoutError("the film is not prepared")
        time.sleep(1)


def _measure(browser: Browser, site: Site, video: str, line: _Line, *, from_library: bool) -> _Wait:
    with signed_in(browser, site) as page:
        page.set_default_timeout(_TIMEOUT)
        devtools = page.context.new_cdp_session(page)
        if from_library:
            page.goto("/stream", wait_until="networkidle")
        sizes = count_bytes(devtools)
        _set_line(devtools, line)
        page.add_init_script(_WATCH_PICTURE)
        began = time.monotonic()
        if from_library:
            page.locator(f'a[href="/stream/{video}"]').first.click(no_wait_after=True)
        else:
            page.goto(f"/stream/{video}", wait_until="commit")
        page.locator(_PLAY).first.click()
        page.wait_for_function("() => window.moving")
        seconds = time.monotonic() - began
        scripts = sum(size for kind, size in sizes if kind == "Script")
        return _Wait(seconds, scripts, sum(size for _, size in sizes))


def _set_line(devtools: CDPSession, line: _Line) -> None:
    speed = line.kilobits * 1000 / 8
    conditions = {"offline": False, "latency": line.latency}
    devtools.send(
        "Network.emulateNetworkConditions",
        {**conditions, "downloadThroughput": speed, "uploadThroughput": speed},
    )


def _switches(browser: Browser, site: Site, video: str) -> list[float]:
    """Return how many seconds it takes on a fast line until a chosen quality is shown."""
    found = []
    with signed_in(browser, site) as page:
        page.set_default_timeout(_TIMEOUT)
        page.goto(f"/stream/{video}")
        page.locator(".plyr__control--overlaid").click()
        for height in (240, _HEIGHT):
            page.wait_for_function("() => document.querySelector('video').currentTime > 1")
            page.mouse.move(400, 400)
            page.mouse.move(410, 410)
            page.get_by_role("button", name="Settings", exact=True).click()
            page.get_by_role("menuitem", name="Quality").click()
            entry = page.get_by_role("menuitemradio").filter(has_text=f"{height}p").last
            began = time.monotonic()
            entry.click()
            page.wait_for_function(
                f"() => document.querySelector('video').videoHeight === {height}"
            )
            found.append(time.monotonic() - began)
            page.keyboard.press("Escape")
    return found


def _row(line: _Line, way: str, waits: list[_Wait]) -> list[str]:
    seconds, scripts, total = map(statistics.median, zip(*waits, strict=True))
    kilobytes = [f"{size / 1000:,.0f}" for size in (scripts, total)]
    return [line.name, way, f"{seconds:.1f}", f"{line.aim:g}", *kilobytes]


def _section(bench: Bench, rows: list[list[str]], switches: list[float]) -> str:
    head = ["line", "opened", "s to a moving picture", "aim", "kB of scripts", "kB of everything"]
    return (
        f"Chromium with an emulated line opens the watch page of a minute at {_HEIGHT}p,"
        " of which everything is prepared, and presses play as soon as there is a button."
        " The time runs from the click on the film, or from the address, to the second frame that"
        " is shown. The browser's cache is empty, except from the library: it has prefetched the"
        f" player's scripts. Medians of {bench.options.rounds} rounds; bytes as they are sent.\n\n"
        f"{table(head, rows)}\n\n"
        "Another quality, chosen from the menu while the film plays on a line that is not slowed"
        f" down, is shown after {statistics.median(switches):.1f} s (aim: 2), at most"
        f" {max(switches):.1f} s."
    )
