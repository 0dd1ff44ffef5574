"""How much slower pages are beside many slow or silent clients, in the 99th percentile."""

import os
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.crowd import (
    Client,
    EventStream,
    HalfBody,
    HalfHead,
    PausedViewer,
    Scene,
    SlowUploader,
    crowd,
)
from benchmarks.form_client import UploadError, post_form
from benchmarks.options import Bench
from benchmarks.page_times import CONNECTIONS, PAUSE, page_times, percentile
from benchmarks.processes import descendants
from benchmarks.report import ratio, table
from benchmarks.sites import Site
from benchmarks.test_video import write_test_video

_PAGES = ("/login", "/stream", "/upload")
_TURNS = 2  # of each round: quiet, then beside the crowd
_REQUESTS = 150  # of each page in a turn
_WARM_UP = 10  # requests of each page before those that count
_SETTLE = 1  # seconds after a crowd has come or gone
_UPLOADS_OF_ONE_ACCOUNT = 5
_STREAMS_OF_ONE_ACCOUNT = 4
_UPLOAD_TIMEOUT = 30  # seconds
_PAUSES = 5  # tries to pause the transcode service outside a transaction
_VIDEO = 64 << 20  # bytes, far more than the buffers between a server and a paused viewer


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
    _Crowd("2,000 silent connections", {Client: 2000}),
    _Crowd(
        "300 uploaders at a byte per 5 s, 100 event streams",
        {SlowUploader: 300, EventStream: 100},
    ),
)


def run(bench: Bench) -> Iterator[str]:
    """Measure, and yield the section after each crowd, with all that was measured so far."""
    pages: list[list[str]] = []
    uploads: list[list[str]] = []
    for site in bench.sites():
        small, large = bench.folder(f"slow-{site.name}") / "small.mp4", bench.video_of(_VIDEO)
        write_test_video(small, 1 << 16)
        with _without_processing(site, large) as video:
            for each in _CROWDS:
                if each.also_through_gateway or site is bench.standalone:
                    page_rows, upload_row = _compare(bench, site, each, video, small)
                    pages += page_rows
                    uploads.append(upload_row)
                    yield _section(bench, pages, uploads)


def _compare(
    bench: Bench, site: Site, each: _Crowd, video: str, small: Path
) -> tuple[list[list[str]], list[str]]:
    """Measure a site without and with a crowd; return a row for each page, and one of uploads."""
    kinds = {kind: max(2, n // bench.options.scale) for kind, n in each.kinds.items()}
    accounts = max(
        1,
        -(-kinds.get(SlowUploader, 0) // _UPLOADS_OF_ONE_ACCOUNT),
        -(-kinds.get(EventStream, 0) // _STREAMS_OF_ONE_ACCOUNT),
    )
    began = time.monotonic()
    cookies = tuple(account.cookie for account in site.uploaders(accounts))
    scene = Scene(site.url, video, cookies)
    quiet: dict[str, list[float]] = {page: [] for page in _PAGES}
    beside: dict[str, list[float]] = {page: [] for page in _PAGES}
    uploads, refused = [], 0
    for _ in range(_TURNS * bench.options.rounds):
        _add_times(quiet, site)
        with crowd(scene, kinds, pause=each.pause) as closed:
            time.sleep(_SETTLE)
            _add_times(beside, site)
            uploads.append(_upload(site, small))
            refused += closed()
        time.sleep(_SETTLE)
    print(f"  {site.name}, {each.name}: {time.monotonic() - began:.0f} s", flush=True)
    rows = [_page_row(site, each, page, quiet[page], beside[page]) for page in _PAGES]
    return rows, [each.name, site.name, ", ".join(uploads), str(refused)]


def _add_times(found: dict[str, list[float]], site: Site) -> None:
    """Request the pages, and add the milliseconds of each request."""
    pages = {page: "" if page == "/login" else site.admin.cookie for page in _PAGES}
    page_times(site.url, pages, count=_WARM_UP)
    for page, times in page_times(site.url, pages, count=_REQUESTS).items():
        found[page] += times


def _upload(site: Site, file: Path) -> str:
    """Return how many seconds an upload takes."""
    try:
        uploaded = post_form(
            f"{site.url}/upload", file, cookie=site.admin.cookie, timeout=_UPLOAD_TIMEOUT
        )
    except (OSError, UploadError) as error:
        return f"not accepted: {error}"
    return f"{uploaded.seconds:.2f}"


def _page_row(
    site: Site, each: _Crowd, page: str, quiet: list[float], beside: list[float]
) -> list[str]:
    alone, together = percentile(quiet, 99), percentile(beside, 99)
    print(f"    {page}: {together:.1f} ms beside, {alone:.1f} ms quiet", flush=True)
    row = [each.name, site.name, page, ratio(together / alone), "1.5"]
    return [*row, f"{together:.1f}", f"{alone:.1f}"]


def _section(bench: Bench, pages: list[list[str]], uploads: list[list[str]]) -> str:
    scale, turns = bench.options.scale, _TURNS * bench.options.rounds
    smaller = f" All crowds are {scale} times smaller." if scale > 1 else ""
    head = ["beside", "through", "page", "p99 of the quiet one", "aim", "p99 ms, beside", "quiet"]
    upload_head = ["beside", "through", "uploads, s", "refused or closed"]
    return (
        f"The 99th percentile of {turns * _REQUESTS} requests for each page, in {turns} turns of"
        " quiet and beside the slow clients, which connect anew for each turn. The pages are"
        f" requested one after the other on {CONNECTIONS} connections of one account,"
        f" {PAUSE * 1000:.0f} ms after the answer before.{smaller}\n\n"
        f"{table(head, pages)}\n\n"
        "Beside the slow clients a small video is uploaded through the form in each turn. What is"
        " refused or closed are connections of the slow clients, which connect again.\n\n"
        f"{table(upload_head, uploads)}"
    )


@contextmanager
def _without_processing(site: Site, file: Path) -> Iterator[str]:
    """Upload a video for all members while nothing is processed; yield its id.

    An event stream ends once its video is processed, so the transcode service is paused. Where it
    was paused within a transaction, nothing can be written, and it is paused again later.
    """
    pids = site.parts.get("transcode_service", ())
    everyone = {*pids, *(child for pid in pids for child in descendants(pid))}
    try:
        for _ in range(_PAUSES):
            _signal(everyone, signal.SIGSTOP)
            with suppress(UploadError):
                video = site.admin.upload(file)
                break
            _signal(everyone, signal.SIGCONT)
            time.sleep(_SETTLE)
        else:
            raise RuntimeError("a video could not be uploaded")
        site.admin.set_visibility(video, "members")
        yield video
    finally:
        _signal(everyone, signal.SIGCONT)


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
