"""How far the estimates that people are shown are from the seconds that the jobs took."""

import random
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

from benchmarks.report import table
from benchmarks.sites import Site
from transcode_service.media.sandbox import find_ffmpeg

_VIDEOS = 10
_SECONDS = (4, 8, 15, 30)
_HEIGHTS = (1080, 720, 480)
_TIMEOUT = 1200  # seconds for all of them
_JOBS = """
    SELECT kind, estimate, seconds FROM jobs
    WHERE state = 'done' AND estimate > 0 AND seconds > 0 ORDER BY id
"""
_UNFINISHED = "SELECT count(*) FROM jobs WHERE state IN ('waiting', 'running')"


def measure_eta_accuracy(site: Site, source: Path, folder: Path) -> str:
    """Process a mix of videos on a site that has processed nothing before, and compare.

    :param site: standalone, with SQLite.
    :param source: the video to cut the others from; a minute at 1080p.
    """
    assert site.videos is not None
    for path in _mix(source, folder):
        site.admin.upload(path)
    url = f"file:{site.videos.parent / 'matinee.db'}?mode=ro"
    with closing(sqlite3.connect(url, uri=True)) as database:
        deadline = time.monotonic() + _TIMEOUT
        while database.execute(_UNFINISHED).fetchone()[0] and time.monotonic() < deadline:
            time.sleep(1)
        jobs = database.execute(_JOBS).fetchall()
    errors: dict[str, list[float]] = {"all": []}
    for kind, estimate, seconds in jobs:
        error = abs(estimate - seconds) / seconds
        errors["all"].append(error)
        errors.setdefault(kind, []).append(error)
    rows = [[kind, str(len(found)), f"{median(found):.0%}"] for kind, found in errors.items()]
    return (
        "How far the estimates of the jobs were from the seconds that they took, in the median,"
        f" over {_VIDEOS} videos of {_SECONDS[0]} to {_SECONDS[-1]} s at"
        f" {', '.join(map(str, _HEIGHTS))} lines, on a site that had processed nothing before. The"
        f" aim: 25 %.\n\n{table(['job', 'how many', 'off by'], rows)}"
    )


def _mix(source: Path, folder: Path) -> Iterator[Path]:
    choices = random.Random(5)
    for number in range(_VIDEOS):
        path = folder / f"mix-{number}.mp4"
        seconds, height = choices.choice(_SECONDS), choices.choice(_HEIGHTS)
        command = [find_ffmpeg(), "-v", "error", "-nostdin", "-y"]
        command += ["-ss", str(choices.randrange(25)), "-t", str(seconds), "-i", f"file:{source}"]
        command += ["-vf", f"scale=-2:{height}", "-c:v", "libx264", "-preset", "ultrafast"]
        command += ["-crf", "23", "-g", "60", "-c:a", "aac", f"file:{path}"]
        subprocess.run(command, check=True)
        yield path
