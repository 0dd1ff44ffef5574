"""From the last uploaded byte to the first frame, the cost of the ladder, and the ETAs' accuracy.

A Chromium opens the watch page of a video as soon as its last byte is sent, and waits for a frame.
Then the ladder and one plain ffmpeg command per rendition run in turns, and their processor time is
compared.
"""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from playwright.sync_api import BrowserContext

from benchmarks.browser import chromium, signed_in
from benchmarks.eta_accuracy import measure_eta_accuracy
from benchmarks.form_client import post_form
from benchmarks.ladder_cost import compare_ladder_cost
from benchmarks.options import Bench
from benchmarks.report import ROOT, ratio, table
from benchmarks.sites import Site, standalone
from transcode_service.media.sandbox import find_ffmpeg

_CACHE = ROOT / "build" / "benchmarks"
_FRAME_RATE = 30
_UPLOADS = 5  # of each video
# Runs before the page's own scripts: plays the video as soon as there is one.
_PLAY = """window.firstFrame = new Promise((resolve) => {
  new MutationObserver((_, observer) => {
    const video = document.querySelector("video");
    if (!video) return;
    observer.disconnect();
    video.muted = true;
    video.requestVideoFrameCallback(() => resolve(performance.timeOrigin + performance.now()));
    video.addEventListener("canplay", () => video.play());
    video.play().catch(() => undefined);
  }).observe(document, { childList: true, subtree: true });
})"""


def run(bench: Bench) -> str:
    """Measure, and return the section."""
    folder = bench.folder("processing")
    minutes = bench.options.minutes
    rows = _first_frames(bench.standalone, minutes)
    with standalone(folder / "eta") as site:  # it has processed nothing before
        eta = measure_eta_accuracy(site, sample_video(1), folder)
    cost = compare_ladder_cost(sample_video(1), folder)
    return (
        "Seconds from the last uploaded byte until Chromium shows the first frame, standalone;"
        f" {_UPLOADS} uploads each.\n\n{table(['1080p video', 'median s', 'max s', 'aim'], rows)}"
        f"\n\nAll renditions of one minute take {ratio(cost)} times the processor time of one plain"
        f" ffmpeg command for each rendition.\n\n{eta}"
    )


def _first_frames(site: Site, minutes: Sequence[int]) -> list[list[str]]:
    rows = []
    with chromium() as browser, signed_in(browser, site) as first:
        for length in minutes:
            path = sample_video(length)
            times = [_first_frame(site, first.context, path) for _ in range(_UPLOADS)]
            rows.append([f"{length} min", f"{median(times):.2f}", f"{max(times):.2f}", "1"])
            print("  " + "  ".join(rows[-1]), flush=True)
    return rows


def _first_frame(site: Site, browser: BrowserContext, path: Path) -> float:
    """Upload a video, and return the seconds from its last byte to the first frame."""
    with browser.new_page() as page:
        page.add_init_script(_PLAY)
        page.goto("/upload")
        uploaded = post_form(f"{site.url}/upload", path, cookie=site.admin.cookie)
        last_byte = time.time() - (time.perf_counter() - uploaded.last_byte)
        page.goto(f"/stream/{uploaded.video}", wait_until="commit")
        shown_at = float(page.evaluate("window.firstFrame"))
    site.admin.delete(f"/api/videos/{uploaded.video}?permanently=1")
    return shown_at / 1000 - last_byte


def sample_video(minutes: int) -> Path:
    """Return a video at 1080p: drifting colours, grain and moving shapes, with noise as audio.

    One minute is encoded once, and repeated without encoding it again.
    """
    path = _CACHE / f"video-{minutes}.mp4"
    if path.exists():
        return path
    _CACHE.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part.mp4")
    source: tuple[str, ...]
    if minutes > 1:
        one = sample_video(1)
        source = ("-stream_loop", str(minutes - 1), "-i", f"file:{one}", "-c", "copy")
    else:
        graph = (
            f"gradients=size=480x270:rate={_FRAME_RATE}:duration=60:speed=0.02:nb_colors=6,"
            f"scale=1920:1080,noise=alls=5:allf=t[back];"
            f"testsrc2=size=640x360:rate={_FRAME_RATE}:duration=60[inset];"
            "[back][inset]overlay=x='640+500*sin(t/3)':y='360+300*cos(t/5)',format=yuv420p"
        )
        source = (
            *("-f", "lavfi", "-i", "anoisesrc=color=brown:sample_rate=48000:duration=60"),
            *("-filter_complex", graph, "-c:v", "libx264", "-preset", "veryfast", "-crf", "22"),
            *("-g", "60", "-c:a", "aac", "-ac", "2", "-b:a", "128k"),
        )
    command = [find_ffmpeg(), "-v", "error", "-nostdin", "-y", *source]
    subprocess.run([*command, "-movflags", "+faststart", f"file:{unfinished}"], check=True)
    return unfinished.rename(path)
