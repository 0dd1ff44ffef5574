"""A large file over tus and through the form, as ratios to what else writes the same bytes."""

import os
import resource
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.multipart import post_form
from benchmarks.options import WITHOUT_DOCKER, Bench, Options
from benchmarks.peers import Nginx, nginx_here
from benchmarks.processes import cpu_seconds
from benchmarks.report import ratio, table
from benchmarks.sites import Site
from benchmarks.tus import send_tus

_CP, _NGINX = "cp, then sync of the file", "nginx, body to file"
_REQUEST = 16 << 20  # bytes


@dataclass
class Way:
    """One way in: what it takes in seconds, and in processor seconds, round by round."""

    name: str
    aims: tuple[str, str]  # speed beside cp, beside nginx
    go: Callable[[], tuple[float, float]]
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def measure(self) -> None:
        """Run it once, on a disk that has nothing left to write."""
        os.sync()
        seconds, cpu = self.go()
        self.seconds.append(seconds)
        self.cpu.append(cpu)

    def speed_of(self, peer: "Way") -> float:
        """Return how fast it is beside a peer, in the median round."""
        return median(b / a for a, b in zip(self.seconds, peer.seconds, strict=True))


def run(bench: Bench) -> str:
    """Measure, and return the section."""
    film, folder, alone = bench.film, bench.folder, bench.alone
    with nginx_here(folder / "nginx", folder) as nginx:
        ways = _into(alone, alone.pids("caddy", "gunicorn", "valkey"), film)
        if bench.stack is not None:
            pids = bench.stack.pids("gateway", "upload", "redis", "mysql")
            ways += _into(bench.stack, pids, film)
        ways += [
            Way(_CP, ("", ""), partial(_copy, film, folder / "copy.mp4")),
            Way(_NGINX, ("", ""), partial(_body_to_file, nginx, film)),
        ]
        for number in range(bench.options.rounds):
            for way in ways if number % 2 == 0 else ways[::-1]:
                way.measure()
                print(f"  {way.name}: {way.seconds[-1]:.2f} s", flush=True)
    return _section(bench.options, ways, docker=bench.stack is not None)


def _into(site: Site, pids: tuple[int, ...], film: Path) -> list[Way]:
    """Return the ways into one Matinee."""
    tus = {"one request": None, f"requests of {_REQUEST >> 20} MiB": _REQUEST}
    over = [
        Way(f"{site.name}, tus, {name}", ("0.7", "0.8"), partial(_tus, site, film, pids, size))
        for name, size in tus.items()
    ]
    return [*over, Way(f"{site.name}, form", ("", "0.6"), partial(_form, site, film, pids))]


def _section(options: Options, ways: list[Way], *, docker: bool) -> str:
    copy, nginx = (next(way for way in ways if way.name == name) for name in (_CP, _NGINX))
    gib = options.size / 2**30
    rows = [
        [
            way.name,
            ratio(way.speed_of(copy)),
            way.aims[0],
            ratio(way.speed_of(nginx)),
            way.aims[1],
            f"{options.size / median(way.seconds) / 1e6:,.0f}",
            f"{median(way.cpu) / gib:.2f}",
        ]
        for way in ways
    ]
    head = ["who", f"speed of {_CP}", "aim", f"of {_NGINX}", "aim", "MB/s", "CPU s per GiB"]
    without = "" if docker else f"\nThrough the gateway: {WITHOUT_DOCKER}\n"
    return (
        f"{table(head, rows)}\n{without}\n"
        f"One file of {options.size >> 20:,} MiB of random bytes, rounds: {options.rounds}, from"
        " the first byte sent to the answer, by a client that uses `sendfile`. Matinee's answer"
        " comes after `fdatasync`, the check of the file and the commit; nginx"
        " (`client_body_in_file_only`, the same form as it is, on loopback) syncs nothing. CPU is"
        " that of the processes that receive, without the client."
    )


def _form(site: Site, film: Path, pids: tuple[int, ...]) -> tuple[float, float]:
    before = cpu_seconds(pids)
    posted = post_form(f"{site.url}/upload", film, cookie=site.cookie)
    used = cpu_seconds(pids) - before
    site.admin.delete(f"/api/videos/{posted.video}").raise_for_status()
    return posted.seconds, used


def _tus(
    site: Site, film: Path, pids: tuple[int, ...], request_size: int | None
) -> tuple[float, float]:
    before = cpu_seconds(pids)
    posted = send_tus(site.url, film, cookie=site.cookie, request_size=request_size)
    used = cpu_seconds(pids) - before
    site.admin.delete(f"/api/videos/{posted.video}").raise_for_status()
    return posted.seconds, used


def _copy(film: Path, target: Path) -> tuple[float, float]:
    before, began = _children_cpu(), time.perf_counter()
    subprocess.run(["cp", film, target], check=True)
    subprocess.run(["sync", target], check=True)
    seconds = time.perf_counter() - began
    target.unlink()
    return seconds, _children_cpu() - before


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _body_to_file(nginx: Nginx, film: Path) -> tuple[float, float]:
    before = cpu_seconds(nginx.pids)
    posted = post_form(nginx.body_url, film)
    used = cpu_seconds(nginx.pids) - before
    assert nginx.bodies is not None
    for path in nginx.bodies.rglob("*"):
        if path.is_file():
            assert path.stat().st_size > film.stat().st_size
            path.unlink()
    return posted.seconds, used
