"""What a thousand slow uploaders cost everybody else: the 99th percentile with them and without.

Quiet and busy turns are told apart within one run: quiet, with the slow ones, quiet again.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from benchmarks.film import write_film
from benchmarks.options import WITHOUT_DOCKER, Bench
from benchmarks.report import ratio, table
from benchmarks.sites import Site
from tests.system.people import PASSWORD, Person, sign_up
from tests.system.slow import PAUSE, UPLOADS_EACH, SlowUploaders
from tests.system.tus import Tus

COUNT = 1000
_TAKEN = 300  # answers of each kind in each turn
_FILM = 1 << 16  # bytes of other people's uploads


@dataclass
class Times:
    """Seconds until answers, by kind."""

    taken: dict[str, list[float]] = field(default_factory=dict)

    def p99(self, kind: str) -> float:
        """Return the 99th percentile."""
        return quantiles(self.taken[kind], n=100, method="inclusive")[98]

    def p50(self, kind: str) -> float:
        """Return the middle."""
        return quantiles(self.taken[kind], n=100, method="inclusive")[49]


def run(bench: Bench) -> str:
    """Measure, and return the section."""
    if bench.stack is None:
        return WITHOUT_DOCKER
    site = bench.stack
    path = bench.folder / "small.mp4"
    write_film(path, _FILM)
    quiet, busy = Times(), Times()
    _measure(site, path, Times())  # once for connections, caches and first imports
    names = [f"slow{number}" for number in range(-(-COUNT // UPLOADS_EACH))]
    with ExitStack() as stack:
        people = [stack.enter_context(sign_up(site.url, name)) for name in names]
        _measure(site, path, quiet)
        with SlowUploaders(people, COUNT) as slow:
            while slow.rounds < 1:
                time.sleep(0.1)
            _measure(site, path, busy)
            lost = slow.lost
        for person in people:
            person.post("/account/delete", data={"password": PASSWORD})
    _measure(site, path, quiet)
    rows = [
        [
            kind,
            ratio(busy.p99(kind) / quiet.p99(kind)),
            *(f"{seconds * 1000:.1f}" for seconds in (quiet.p50(kind), busy.p50(kind))),
            *(f"{seconds * 1000:.1f}" for seconds in (quiet.p99(kind), busy.p99(kind))),
        ]
        for kind in quiet.taken
    ]
    head = ["answer", "p99 with / without", "p50 ms without", "with", "p99 ms without", "with"]
    return (
        f"Other people's answers through the gateway, one after the other, without and with {COUNT}"
        f" uploaders that send a byte every {PAUSE} s: {_TAKEN} of each kind in each turn, quiet"
        f" before and after. The aim: at most 1.5. Of the slow ones {lost} were turned away."
        f"\n\n{table(head, rows)}"
    )


def _measure(site: Site, path: Path, times: Times) -> None:
    content = path.read_bytes()
    tus = Tus(site.admin)
    kinds: dict[str, Callable[[], object]] = {
        "library page": lambda: _ok(site.admin, "/stream"),
        "upload page": lambda: _ok(site.admin, "/upload"),
        "upload of 64 KiB over tus": lambda: _upload(tus, content),
    }
    made: list[object] = []
    for _ in range(_TAKEN):
        for kind, ask in kinds.items():
            began = time.perf_counter()
            made.append(ask())
            times.taken.setdefault(kind, []).append(time.perf_counter() - began)
    for video in filter(None, made):
        site.admin.delete(f"/api/videos/{str(video).removeprefix('/stream/')}")


def _ok(person: Person, path: str) -> None:
    answer = person.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code}")


def _upload(tus: Tus, content: bytes) -> str:
    answer = tus.create(len(content), content)
    if answer.status != 201:
        raise RuntimeError(f"an upload: {answer.status}")
    return str(answer.headers["Upload-Video"])
