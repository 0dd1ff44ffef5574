"""A thousand readers at 1 kB/s: what other visitors notice, and what it costs in memory."""

import itertools
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from urllib.parse import urlsplit

from benchmarks.load import Figures, Load, Target, measure
from benchmarks.multipart import post_form
from benchmarks.options import Bench
from benchmarks.processes import memory_bytes
from benchmarks.report import ratio, table
from benchmarks.sites import Site

_READERS = 1000
_RATE = 1000  # bytes a second, each
_TICKS = 50  # a second: readers do not read in step, which would be a peak of work each second
_PROBE = 5  # seconds of one look at what others get
_PACE = 10  # milliseconds between two requests of one of the others
_OTHERS = 4  # connections


def run(bench: Bench) -> str:
    """Measure, and return the section."""
    seconds = 60 if bench.options.rounds > 1 else 10
    sites: list[Site] = [bench.alone, *([bench.stack] if bench.stack else [])]
    rows = [row for site in reversed(sites) for row in _rows(bench, site, seconds)]
    head = ["through", "who else", "p99 ms, quiet", "p99 ms, with them", "ratio", "aim"]
    head += ["memory grown, MiB", "aim"]
    return (
        f"{_READERS:,} connections read one private film at {_RATE:,} bytes a second each for"
        f" {seconds} s. Meanwhile {_OTHERS} connections ask for something small every {_PACE} ms;"
        f" p99 is the median of looks of {_PROBE} s each. Memory is that of all processes that"
        f" serve (PSS), at its highest.\n\n{table(head, rows)}"
    )


def _rows(bench: Bench, site: Site, seconds: int) -> Iterator[list[str]]:
    video = post_form(f"{site.url}/upload", bench.film, cookie=site.cookie).video
    pids = tuple(pid for part in site.parts.values() for pid in part)
    cookie = (f"Cookie: {site.cookie}",)
    media = f"{site.url}/stream/{video}/video.mp4"
    probes = {
        "ranges of 1 B": (Target("range", media, pids, cookie), 1),
        "log-in page": (Target("page", f"{site.url}/login", pids), 0),
    }

    def look() -> dict[str, Figures]:
        return {
            name: measure(target, Load(length, 1 << 20, _OTHERS, _PROBE, wait=_PACE))
            for name, (target, length) in probes.items()
        }

    look()  # first imports and connections
    quiet = [look() for _ in range(2)]
    before = most = memory_bytes(pids)
    busy = []
    with slow_readers(site, video, _READERS):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            busy.append(look())
            most = max(most, memory_bytes(pids))
    quiet += [look() for _ in range(2)]
    for name in probes:
        calm, loaded = (_middle([found[name].p99 for found in looks]) for looks in (quiet, busy))
        grown = (most - before) / 2**20
        figures = [f"{calm:.1f}", f"{loaded:.1f}", ratio(loaded / calm), "1.2", f"{grown:.0f}"]
        yield [site.name, name, *figures, "100"]


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


@contextmanager
def slow_readers(site: Site, video: str, count: int) -> Iterator[None]:
    """Have so many connections read a film slowly, in a process of their own, while this lasts."""
    spawn = get_context("spawn")
    begun, over = spawn.Event(), spawn.Event()
    arguments = (site.url, f"/stream/{video}/video.mp4", site.cookie, count, begun, over)
    process = spawn.Process(target=_read, args=arguments)
    process.start()
    try:
        if not begun.wait(60):
            raise RuntimeError("the slow readers did not all get their first bytes")
        yield
        if process.exitcode is not None:
            raise RuntimeError("the slow readers were cut off")
    finally:
        over.set()
        process.join()


def _read(url: str, path: str, cookie: str, count: int, begun: Event, over: Event) -> None:
    where = urlsplit(url)
    request = f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\nCookie: {cookie}\r\n\r\n".encode()
    with ExitStack() as stack:
        readers = []
        for _ in range(count):
            reader = stack.enter_context(socket.socket())
            # So that the sender notices how slow it is.
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.settimeout(30)
            reader.connect((where.hostname, where.port))
            reader.sendall(request)
            readers.append(reader)
        for reader in readers:
            if not reader.recv(_RATE).startswith(b"HTTP/1.1 200"):
                raise RuntimeError("a slow reader was refused")
        begun.set()
        began = time.monotonic()
        for tick in itertools.count():
            if over.wait(max(began + tick / _TICKS - time.monotonic(), 0)):
                return
            for reader in readers[tick % _TICKS :: _TICKS]:
                if not reader.recv(_RATE):
                    raise RuntimeError("a slow reader was cut off")
