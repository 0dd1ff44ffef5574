"""How long bytes still come after access was taken away, for each way to take it away.

Each way runs in a process of its own, with accounts and videos of its own. A viewer reads small
ranges without pause; at a random moment of the second something is changed; what counts is the time
from the answer to that change until the last byte that was granted.
"""

import random
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles

from benchmarks.film import write_film
from benchmarks.options import WITHOUT_DOCKER, Bench
from benchmarks.reader import LENGTH, Reader
from benchmarks.report import table
from benchmarks.sites import COOKIE, Site
from benchmarks.ways import WAYS, expect, stage_for_one

_WATCHED = 1.7  # seconds after the change in which a byte would be noticed


def run(bench: Bench) -> str:
    """Measure, and return the section."""
    film, rounds = bench.folder / "small.mp4", bench.options.takings
    write_film(film, 1 << 16)
    through = WITHOUT_DOCKER if bench.stack is None else _all_ways(bench.stack, film, rounds)
    parts = [
        f"Seconds from the answer to the change until the last byte that was granted, in {rounds}"
        " rounds each, at random moments of the second, while a viewer reads ranges of"
        f" {LENGTH:,} bytes without pause. All ways run at the same time. The aim: 99 % under"
        " 1.1 s, none over 1.5 s. 0: the last grant came before the answer. A range that is being"
        " sent when access is taken away is sent to its end.",
        f"### Through the gateway\n\n{through}",
        f"### Standalone\n\n{_all_ways(bench.alone, film, rounds)}",
    ]
    return "\n\n".join(parts)


def _all_ways(site: Site, film: Path, rounds: int) -> str:
    token = site.admin.cookies[COOKIE]
    with ProcessPoolExecutor(len(WAYS), mp_context=get_context("spawn")) as pool:
        jobs = {way: pool.submit(_times, site.url, token, film, way, rounds) for way in WAYS}
        found = {way: job.result() for way, job in jobs.items()}
    rows = []
    for way, (times, reads) in found.items():
        middle, last = _percentiles(times)
        worst = max(times)
        rows.append([way, *(f"{t:.2f}" for t in (middle, last, worst)), f"{reads:,.0f}"])
        print(f"  {site.name}, {way}: {middle:.2f} {last:.2f} {worst:.2f} s", flush=True)
    return table(["way", "p50 s", "p99 s", "max s", "ranges granted"], rows)


def _percentiles(times: list[float]) -> tuple[float, float]:
    cuts = quantiles(times, n=100, method="inclusive")
    return cuts[49], cuts[98]


def _times(url: str, token: str, film: Path, way: str, rounds: int) -> tuple[list[float], int]:
    """Measure one way; this runs in a process of its own."""
    with stage_for_one(url, token, film) as stage:
        times, reads = [], 0
        stagings = WAYS[way](stage)
        for _ in range(rounds):
            viewer, take_away = next(stagings)
            reader = Reader(url, stage.video, viewer.cookies[COOKIE])
            reader.start()
            time.sleep(0.1 + random.random())
            expect(take_away())
            answered = time.monotonic()
            time.sleep(_WATCHED)
            reader.stop()
            if not reader.refused:
                raise RuntimeError(f"{way}: the viewer still reads after {_WATCHED} s")
            times.append(max(0.0, reader.last_granted - answered))
            reads += reader.granted
        return times, reads
