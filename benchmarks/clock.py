"""How far the times that people are told are from the truth, step by step."""

import random
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.multipart import post_form
from benchmarks.report import table
from benchmarks.sites import Site
from transcode_service.media import find_ffmpeg

_FILMS = 10
_SECONDS = (4, 8, 15, 30)
_HEIGHTS = (1080, 720, 480)
_PATIENCE = 1200  # seconds for all of them
_STEPS = """
    SELECT kind, estimate, seconds FROM jobs
    WHERE state = 'done' AND estimate > 0 AND seconds > 0 ORDER BY id
"""


def measure_clock(site: Site, film: Path, folder: Path) -> str:
    """Prepare a mix of films on a site that has prepared none like them, and compare.

    :param site: on this machine, with SQLite.
    :param film: to cut the others from; a minute of 1080p.
    """
    assert site.videos is not None
    for path in _mix(film, folder):
        post_form(f"{site.url}/upload", path, cookie=site.cookie)
    deadline = time.monotonic() + _PATIENCE
    with sqlite3.connect(f"file:{site.videos.parent / 'matinee.db'}?mode=ro", uri=True) as database:
        while _unfinished(database) and time.monotonic() < deadline:
            time.sleep(1)
        steps = database.execute(_STEPS).fetchall()
    errors: dict[str, list[float]] = {"all": []}
    for kind, told, took in steps:
        error = abs(told - took) / took
        errors["all"].append(error)
        errors.setdefault(kind, []).append(error)
    rows = [[kind, str(len(found)), f"{median(found):.0%}"] for kind, found in errors.items()]
    return (
        "How far the seconds that were told when a step began were from those that it took, in"
        f" the median, over {_FILMS} films of {_SECONDS[0]} to {_SECONDS[-1]} s at"
        f" {', '.join(map(str, _HEIGHTS))} lines, on a site that had prepared nothing before. The"
        f" aim: 25 %.\n\n{table(['step', 'how many', 'off by'], rows)}"
    )


def _unfinished(database: sqlite3.Connection) -> int:
    asked = "SELECT count(*) FROM jobs WHERE state IN ('waiting', 'running')"
    return int(database.execute(asked).fetchone()[0])


def _mix(film: Path, folder: Path) -> Iterator[Path]:
    dice = random.Random(5)
    for number in range(_FILMS):
        path = folder / f"mix-{number}.mp4"
        seconds, height = dice.choice(_SECONDS), dice.choice(_HEIGHTS)
        command = [find_ffmpeg(), "-v", "error", "-nostdin", "-y"]
        command += ["-ss", str(dice.randrange(25)), "-t", str(seconds), "-i", f"file:{film}"]
        command += ["-vf", f"scale=-2:{height}", "-c:v", "libx264", "-preset", "ultrafast"]
        command += ["-crf", "23", "-g", "60", "-c:a", "aac", f"file:{path}"]
        subprocess.run(command, check=True)
        yield path
