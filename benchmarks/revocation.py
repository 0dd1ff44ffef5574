"""How long bytes still arrive after access was revoked, for each way to revoke it.

Each method runs in a process of its own, with accounts and videos of its own. A viewer reads small
ranges without pause; at a random moment of the second access is revoked. What is measured is the
time from the answer to that request until the last range that was granted.
"""

import random
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles

from benchmarks.account import COOKIE
from benchmarks.options import WITHOUT_COMPOSE, Bench
from benchmarks.range_reader import LENGTH, RangeReader
from benchmarks.report import table
from benchmarks.revocation_methods import METHODS, scenario
from benchmarks.sites import Site
from benchmarks.test_video import write_test_video

_AT_ONCE = 8  # methods
_WATCHED = 1.7  # seconds after the revocation in which a range would be noticed


def run(bench: Bench) -> str:
    """Measure, and return the section."""
    video, rounds = bench.folder("revocation") / "small.mp4", bench.options.revocations
    write_test_video(video, 1 << 16)
    gateway = bench.gateway
    parts = [
        "Seconds from the answer to the revocation until the last range that was granted, in"
        f" {rounds} rounds each, at random moments of the second, while a viewer reads ranges of"
        f" {LENGTH:,} bytes without pause. {_AT_ONCE} methods run at the same time. The aim: 99 %"
        " under 1.1 s, none over 1.5 s. 0: the last range was granted before the answer. A range"
        " that is being sent when access is revoked is sent to its end. Of a grant that expires"
        " the time counts from its expiry.",
        "### Through the gateway",
        WITHOUT_COMPOSE if gateway is None else _all_methods(gateway, video, rounds),
        "### Standalone",
        _all_methods(bench.standalone, video, rounds),
    ]
    return "\n\n".join(parts)


def _all_methods(site: Site, video: Path, rounds: int) -> str:
    token = site.admin.cookies[COOKIE]
    with ProcessPoolExecutor(_AT_ONCE, mp_context=get_context("spawn")) as pool:
        jobs = {
            method: pool.submit(_times, site.url, token, video, method, rounds)
            for method in METHODS
        }
        found = {method: job.result() for method, job in jobs.items()}
    rows = []
    for method, (times, reads) in found.items():
        cuts = quantiles(times, n=100, method="inclusive")
        figures = [f"{seconds:.2f}" for seconds in (cuts[49], cuts[98], max(times))]
        rows.append([method, *figures, f"{reads:,.0f}"])
        print(f"  {site.name}, {method}: {' '.join(figures)} s", flush=True)
    return table(["method", "p50 s", "p99 s", "max s", "ranges granted"], rows)


def _times(url: str, token: str, video: Path, method: str, rounds: int) -> tuple[list[float], int]:
    """Measure one method; this runs in a process of its own."""
    with scenario(url, token, video) as given:
        times, reads = [], 0
        revocations = METHODS[method](given)
        for _ in range(rounds):
            viewer, revoke = next(revocations)
            reader = RangeReader(url, given.video, viewer.cookie)
            reader.start()
            time.sleep(0.1 + random.random())
            revoke()
            answered = time.monotonic()
            time.sleep(_WATCHED)
            reader.stop()
            if not reader.refused:
                raise RuntimeError(f"{method}: the viewer still reads after {_WATCHED} s")
            times.append(max(0.0, reader.last_granted - answered))
            reads += reader.granted
        return times, reads
