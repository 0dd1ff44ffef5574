"""How much slower pages are beside many slow or silent clients, in the 99th percentile."""

import math
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.crowd import (
    Client,
    EventStream,
    HalfBody,
    HalfHead,
    PausedViewer,
    Scene,
    Silent,
    SlowUploader,
    crowd,
)
from benchmarks.form_client import UploadError, post_form
from benchmarks.options import Bench
from benchmarks.report import ratio, table
from benchmarks.sites import Site
from benchmarks.test_video import write_test_video
from benchmarks.wrk import Load, LoadError, Target, measure

_PAGES = ("/login", "/stream", "/upload")
_CONNECTIONS = 4
_WAIT = 10  # milliseconds between two requests of a connection
_LOOKS = 3  # of each page, quiet and beside the crowd
_UPLOADS_OF_ONE_ACCOUNT = 5
_STREAMS_OF_ONE_ACCOUNT = 4
_UPLOAD_TIMEOUT = 30  # seconds


@dataclass(frozen=True)
class _Crowd:
    name: str
    kinds: Mapping[type[Client], int]
    pause: float = 5  # seconds between two bytes
    also_through_gateway: bool = False


_CROWDS = (
    _Crowd(
        "1,000 paused viewers, 500 uploaders at a byte per 9 s, half of them chunked",
        {PausedViewer: 1000, SlowUploader: 500},
        pause=9,
        also_through_gateway=True,
    ),
    _Crowd("200 half bodies to /login", {HalfBody: 200}),
    _Crowd("500 half request heads", {HalfHead: 500}),
    _Crowd("2,000 silent connections", {Silent: 2000}),
    _Crowd(
        "300 uploaders at a byte per 5 s, 100 event streams",
        {SlowUploader: 300, EventStream: 100},
    ),
)


def run(bench: Bench) -> str:
    """Measure, and return the section."""
    rows = [
        row
        for site in bench.sites()
        for each in _CROWDS
        if each.also_through_gateway or site is bench.standalone
        for row in _rows(bench, site, each)
    ]
    head = ["through", "beside", "page", "p99 of the quiet one", "aim"]
    head += ["p99 ms, quiet", "beside", "an upload beside, s", "refused or closed"]
    smaller = (
        f" All crowds are {bench.options.scale} times smaller." if bench.options.scale > 1 else ""
    )
    return (
        f"Pages requested by {_CONNECTIONS} connections of one account, each {_WAIT} ms after the"
        f" answer before, quiet and beside slow clients; medians of {_LOOKS} measurements of"
        f" {bench.options.seconds + 2} s. Meanwhile a small video is uploaded through the form. The"
        " last column counts connections of the slow clients, which connect again."
        f"{smaller}\n\n{table(head, rows)}"
    )


def _rows(bench: Bench, site: Site, each: _Crowd) -> Iterator[list[str]]:
    kinds = {kind: max(2, n // bench.options.scale) for kind, n in each.kinds.items()}
    accounts = max(
        1,
        -(-kinds.get(SlowUploader, 0) // _UPLOADS_OF_ONE_ACCOUNT),
        -(-kinds.get(EventStream, 0) // _STREAMS_OF_ONE_ACCOUNT),
    )
    cookies = tuple(account.cookie for account in site.uploaders(accounts))
    small = bench.folder(f"slow-{site.name}-{_CROWDS.index(each)}") / "small.mp4"
    write_test_video(small, 1 << 16)
    seconds = bench.options.seconds + 2
    _looks(site, seconds=1, count=1)  # first imports and connections
    quiet = _looks(site, seconds=seconds)
    # Event streams end once a video is processed, so nothing is processed meanwhile.
    paused = _paused(site.pids("transcode_service")) if EventStream in kinds else nullcontext()
    with paused:
        video = site.admin.upload(bench.video)
        site.admin.set_visibility(video, "members")
        with crowd(Scene(site.url, f"/stream/{video}", cookies), kinds, pause=each.pause) as closed:
            busy = _looks(site, seconds=seconds)
            uploaded = _upload(site, small)
            refused = closed()
    print(f"  {site.name}, {each.name}: {busy}", flush=True)
    for page in _PAGES:
        row = [site.name, each.name, page, ratio(busy[page] / quiet[page]), "1.5"]
        row += [f"{quiet[page]:.1f}", f"{busy[page]:.1f}", uploaded, str(refused)]
        yield row


def _upload(site: Site, file: Path) -> str:
    """Return how many seconds an upload takes."""
    try:
        uploaded = post_form(
            f"{site.url}/upload", file, cookie=site.admin.cookie, timeout=_UPLOAD_TIMEOUT
        )
    except (TimeoutError, UploadError) as error:
        return f"not accepted: {error}"
    return f"{uploaded.seconds:.2f}"


def _looks(site: Site, *, seconds: int, count: int = _LOOKS) -> dict[str, float]:
    """Return the 99th percentile of each page in milliseconds; infinite if it was not answered."""
    load = Load(0, 0, _CONNECTIONS, seconds, wait=_WAIT)
    found: dict[str, list[float]] = {page: [] for page in _PAGES}
    for _ in range(count):
        for page in _PAGES:
            # Who is signed in is redirected from the login page.
            viewers = () if page == "/login" else (f"Cookie: {site.admin.cookie}",)
            target = Target(page, f"{site.url}{page}", (), viewers)
            try:
                found[page].append(measure(target, load).p99)
            except LoadError as error:
                print(f"  {error}", flush=True)
                found[page].append(math.inf)
    return {p: math.inf if math.inf in times else median(times) for p, times in found.items()}


@contextmanager
def _paused(pids: tuple[int, ...]) -> Iterator[None]:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
