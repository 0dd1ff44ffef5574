"""From the last uploaded byte to what can be watched, and what the ladder costs.

`python -m benchmarks.processing`: the embedded site receives a film and prepares it, while a
Chromium waits for its first picture; then the ladder and one plain ffmpeg command per rung run in
turns, and their processor time is compared.
"""

import argparse
import resource
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import BrowserContext, sync_playwright
from transcode_service.media.rungs import CRF, KEYFRAME_SECONDS, PRESET, cap, fit

from benchmarks.clock import measure_clock
from benchmarks.multipart import post_form
from benchmarks.report import ROOT, ratio, table, write_section
from benchmarks.sites import COOKIE, Site, standalone
from transcode_service.media import (
    MediaLimits,
    Plan,
    check,
    copy_video,
    draw_pictures,
    encode_rung,
    find_ffmpeg,
    make_audio,
    measure,
    plan,
)

_CACHE = ROOT / "build" / "benchmarks"
_RATE = 30
_PATIENCE = 3600  # seconds for the whole ladder of the longest film
_ROUNDS = 5  # uploads of each film, of which the median counts
# Runs before the page's own scripts, as a visitor who starts the film as soon as it is there.
_START = """window.firstFrame = new Promise((resolve) => {
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


@dataclass
class Watched:
    """Seconds from the last byte to each thing that can be watched; None was not waited for."""

    frame: float
    copy: float
    rung: float | None = None
    ladder: float | None = None


def film(minutes: int) -> Path:
    """Return a film of so many minutes at 1080p: drifting colours, grain, moving shapes, and noise.

    One minute is made once, and repeated without encoding it again.
    """
    path = _CACHE / f"film-{minutes}.mp4"
    if path.exists():
        return path
    _CACHE.mkdir(parents=True, exist_ok=True)
    made = path.with_suffix(".part.mp4")
    source: tuple[str, ...]
    if minutes > 1:
        source = ("-stream_loop", str(minutes - 1), "-i", f"file:{film(1)}", "-c", "copy")
    else:
        picture = (
            f"gradients=size=480x270:rate={_RATE}:duration=60:speed=0.02:nb_colors=6,"
            f"scale=1920:1080,noise=alls=5:allf=t[back];"
            f"testsrc2=size=640x360:rate={_RATE}:duration=60[inset];"
            "[back][inset]overlay=x='640+500*sin(t/3)':y='360+300*cos(t/5)',format=yuv420p"
        )
        source = (
            *("-f", "lavfi", "-i", "anoisesrc=color=brown:sample_rate=48000:duration=60"),
            *("-filter_complex", picture, "-c:v", "libx264", "-preset", "veryfast", "-crf", "22"),
            *("-g", "60", "-c:a", "aac", "-ac", "2", "-b:a", "128k"),
        )
    command = [find_ffmpeg(), "-v", "error", "-nostdin", "-y", *source]
    subprocess.run([*command, "-movflags", "+faststart", f"file:{made}"], check=True)
    return made.rename(path)


def watch(site: Site, browser: BrowserContext, path: Path, *, ladder: bool) -> Watched:
    """Upload a film, and time what its viewer gets."""
    page = browser.new_page()
    page.add_init_script(_START)
    page.goto(f"{site.url}/upload")
    posted = post_form(f"{site.url}/upload", path, cookie=site.cookie)
    last_byte = time.time() - (time.perf_counter() - posted.last_byte)
    page.goto(f"{site.url}/stream/{posted.video}", wait_until="commit")
    frame = page.evaluate("window.firstFrame") / 1000 - last_byte
    page.close()
    seen = Watched(frame, copy=0.0)
    wanted = plan(measure(path, MediaLimits())).heights
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        answer = site.admin.get(f"/stream/{posted.video}/master.m3u8")
        master = answer.text if answer.status_code == 200 else ""
        now = time.time() - last_byte
        if "hls/source.m3u8" in master:
            seen.copy = seen.copy or now
        if any(f"hls/{height}p.m3u8" in master for height in wanted):
            seen.rung = seen.rung or now
        if all(f"hls/{height}p.m3u8" in master for height in wanted):
            seen.ladder = now
        if seen.ladder or (seen.copy and not ladder):
            break
        time.sleep(0.05)
    site.admin.delete(f"/api/videos/{posted.video}")
    return seen


def cost_of_ours(path: Path, folder: Path) -> float:
    """Return the processor seconds of every step, with all that is measured and written by us."""
    limits = MediaLimits()
    began = _cpu()
    facts = measure(path, limits)
    check(path, facts=facts, limits=limits)
    planned = plan(facts)
    draw_pictures(path, folder, facts=facts, limits=limits, report=_quiet)
    copy_video(path, folder, facts=facts, limits=limits, report=_quiet)
    make_audio(path, folder, facts=facts, limits=limits, report=_quiet)
    for height in planned.heights:
        encode_rung(path, folder, facts=facts, limits=limits, report=_quiet, height=height)
    return _cpu() - began


def cost_of_plain(path: Path, folder: Path) -> float:
    """Return the processor seconds of one plain command for each rung, with the same settings."""
    facts = measure(path, MediaLimits())
    planned: Plan = plan(facts)
    began = _cpu()
    for height in planned.heights:
        width, lines = fit(facts.video, height)
        most = cap(facts.video, height)
        command = [
            *(find_ffmpeg(), "-v", "error", "-nostdin", "-y", "-i", f"file:{path}"),
            *("-vf", f"scale={width}:{lines}", "-c:v", "libx264", "-preset", PRESET),
            *("-crf", str(CRF), "-maxrate", f"{most}k", "-bufsize", f"{2 * most}k"),
            *("-g", str(KEYFRAME_SECONDS * _RATE), "-sc_threshold", "0", "-c:a", "aac"),
            *("-f", "hls", "-hls_time", "4", "-hls_segment_type", "fmp4"),
            *("-hls_playlist_type", "vod", "-hls_flags", "single_file+independent_segments"),
            f"{folder}/plain-{height}.m3u8",
        ]
        subprocess.run(command, check=True, cwd=folder, capture_output=True)
    return _cpu() - began


def _cpu() -> float:
    spent = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)


def _quiet(_: float) -> None:
    pass


def run(folder: Path, *, minutes: Sequence[int], ladder_minutes: int) -> str:
    """Measure, and return the section of the page."""
    rows = []
    with standalone(folder / "data") as site, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        browser = chromium.new_context()
        browser.add_cookies(
            [{"name": COOKIE, "value": site.admin.cookies[COOKIE], "url": site.url}]
        )
        for length in minutes:
            path, ladder = film(length), length <= ladder_minutes
            rounds = [
                watch(site, browser, path, ladder=ladder and not number)
                for number in range(_ROUNDS)
            ]
            times = (
                median(seen.frame for seen in rounds),
                max(seen.frame for seen in rounds),
                median(seen.copy for seen in rounds),
                rounds[0].rung if ladder else None,
                rounds[0].ladder,
            )
            rows.append([f"{length} min", *(_seconds(value) for value in times)])
            print("  ".join(rows[-1]), flush=True)
        chromium.close()
    with standalone(folder / "clock") as site:
        clock = measure_clock(site, film(1), folder)
    head = ["film, 1080p", "first frame", "slowest", "HLS by copy", "first rung", "full ladder"]
    ours: list[float] = []
    plain: list[float] = []
    path = film(1)
    for number in range(2):
        for spend, costs in ((cost_of_ours, ours), (cost_of_plain, plain))[:: -1 if number else 1]:
            costs.append(spend(path, folder))
            print(f"  {spend.__name__}: {costs[-1]:.1f} s of processor time", flush=True)
    beside = sorted(a / b for a, b in zip(ours, plain, strict=True))
    return (
        "Seconds from the last uploaded byte until it can be watched, on the embedded site with one"
        f" worker; medians of {_ROUNDS} uploads, the encoded ones of the first.\n\n"
        f"{table(head, rows)}\n\n"
        f"Everything that is made of a minute of it takes {min(ours):.0f} s of processor time:"
        f" {ratio(sum(beside) / len(beside))} times what one plain ffmpeg command for each rung"
        f" takes ({min(plain):.0f} s).\n\n{clock}"
    )


FLAGS = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.processing", description=__doc__)
    parser.add_argument("--minutes", default="1,5,20", help="with commas between (%(default)s)")
    parser.add_argument(
        "--ladder", type=int, default=1, help="longest film whose ladder is awaited (%(default)s)"
    )
    arguments = parser.parse_args()
    lengths = [int(length) for length in arguments.minutes.split(",")]
    with tempfile.TemporaryDirectory(prefix="matinee-bench-") as folder:
        text = run(Path(folder), minutes=lengths, ladder_minutes=arguments.ladder)
    write_section("Processing", text)


if __name__ == "__main__":
    main()
