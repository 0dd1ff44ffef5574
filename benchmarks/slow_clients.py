"""How much slower pages are beside many slow or silent clients, in the 99th percentile."""

import os
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import requests

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
from benchmarks.page_times import CONNECTIONS, PAUSE, page_times, percentile
from benchmarks.processes import busy_seconds, cpu_seconds, descendants
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
    _Crowd("2,000 silent connections", {Silent: 2000}),
    _Crowd(
        "300 uploaders at a byte per 5 s, 100 event streams",
        {SlowUploader: 300, EventStream: 100},
    ),
)


@dataclass
class _Look:
    """What was seen of a site, either quiet or beside a crowd.

    :ivar times: milliseconds of each request, by page.
    :ivar own: processor seconds of the site.
    :ivar busy: processor seconds of the whole machine.
    :ivar seconds: how long was looked.
    """

    times: dict[str, list[float]] = field(default_factory=lambda: {page: [] for page in _PAGES})
    own: float = 0
    busy: float = 0
    seconds: float = 0

    def p99(self, page: str) -> float:
        return percentile(self.times[page], 99)

    def again(self, site: Site) -> None:
        """Look once more, and add what is seen."""
        pages = {page: "" if page == "/login" else site.admin.cookie for page in _PAGES}
        page_times(site.url, pages, count=_WARM_UP)
        pids = site.pids(*site.parts)
        began, own, busy = time.monotonic(), cpu_seconds(pids), busy_seconds()
        for page, times in page_times(site.url, pages, count=_REQUESTS).items():
            self.times[page] += times
        self.own += cpu_seconds(pids) - own
        self.busy += busy_seconds() - busy
        self.seconds += time.monotonic() - began


@dataclass
class _Compared:
    """A site without and with a crowd.

    :ivar uploads: how many seconds each upload took, or why it was not accepted.
    :ivar refused: connections of the crowd that were refused or closed.
    """

    quiet: _Look = field(default_factory=_Look)
    beside: _Look = field(default_factory=_Look)
    uploads: list[str] = field(default_factory=list)
    refused: int = 0


def run(bench: Bench) -> Iterator[str]:
    """Measure, and yield the section after each crowd, with all that was measured so far."""
    pages: list[list[str]] = []
    rest: list[list[str]] = []
    for site in bench.sites():
        small, video = bench.folder(f"slow-{site.name}") / "small.mp4", bench.video_of(_VIDEO)
        write_test_video(small, 1 << 16)
        with _without_processing(site, video) as path:
            for each in _CROWDS:
                if each.also_through_gateway or site is bench.standalone:
                    found = _compare(bench, site, each, path=path, small=small)
                    pages += _page_rows(site, each, found)
                    rest.append(_rest_row(site, each, found))
                    yield _section(bench, pages, rest)


def _compare(bench: Bench, site: Site, each: _Crowd, *, path: str, small: Path) -> _Compared:
    kinds = {kind: max(2, n // bench.options.scale) for kind, n in each.kinds.items()}
    accounts = max(
        1,
        -(-kinds.get(SlowUploader, 0) // _UPLOADS_OF_ONE_ACCOUNT),
        -(-kinds.get(EventStream, 0) // _STREAMS_OF_ONE_ACCOUNT),
    )
    began = time.monotonic()
    cookies = tuple(account.cookie for account in site.uploaders(accounts))
    scene = Scene(site.url, path, cookies)
    found = _Compared()
    for _ in range(_TURNS * bench.options.rounds):
        found.quiet.again(site)
        with crowd(scene, kinds, pause=each.pause) as closed:
            time.sleep(_SETTLE)
            found.beside.again(site)
            found.uploads.append(_upload(site, small))
            found.refused += closed()
        time.sleep(_SETTLE)
    print(f"  {site.name}, {each.name}: {time.monotonic() - began:.0f} s", flush=True)
    return found


def _upload(site: Site, file: Path) -> str:
    """Return how many seconds an upload takes."""
    try:
        uploaded = post_form(
            f"{site.url}/upload", file, cookie=site.admin.cookie, timeout=_UPLOAD_TIMEOUT
        )
    except (OSError, UploadError) as error:
        return f"not accepted: {error}"
    return f"{uploaded.seconds:.2f}"


def _page_rows(site: Site, each: _Crowd, found: _Compared) -> list[list[str]]:
    rows = []
    for page in _PAGES:
        quiet, beside = found.quiet.p99(page), found.beside.p99(page)
        row = [each.name, site.name, page, ratio(beside / quiet), "1.5"]
        rows.append([*row, f"{beside:.1f}", f"{quiet:.1f}"])
        print(f"    {page}: {beside:.1f} ms beside, {quiet:.1f} ms quiet", flush=True)
    return rows


def _rest_row(site: Site, each: _Crowd, found: _Compared) -> list[str]:
    row = [each.name, site.name, ", ".join(found.uploads), str(found.refused)]
    row += [f"{look.own / look.seconds:.2f}" for look in (found.beside, found.quiet)]
    row += [f"{look.busy / look.seconds:.2f}" for look in (found.beside, found.quiet)]
    print(f"    {row[2:]}", flush=True)
    return row


def _section(bench: Bench, pages: list[list[str]], rest: list[list[str]]) -> str:
    scale, turns = bench.options.scale, _TURNS * bench.options.rounds
    smaller = f" All crowds are {scale} times smaller." if scale > 1 else ""
    page_head = ["beside", "through", "page", "p99 of the quiet one", "aim", "p99 ms, beside"]
    rest_head = ["beside", "through", "uploads, s", "refused or closed", "processors, Matinee"]
    return (
        f"The 99th percentile of {turns * _REQUESTS} requests for each page, in {turns} turns of"
        " quiet and beside the slow clients, which connect anew for each turn. The pages are"
        f" requested one after the other on {CONNECTIONS} connections of one account,"
        f" {PAUSE * 1000:.0f} ms after the answer before.{smaller}\n\n"
        f"{table([*page_head, 'quiet'], pages)}\n\n"
        "Beside the slow clients a small video is uploaded through the form in each turn. What is"
        " refused or closed are connections of the slow clients, which connect again. The last"
        f" columns are processors in use, of {os.cpu_count()}: by Matinee's processes, and by all"
        " of the machine, the clients included.\n\n"
        f"{table([*rest_head, 'quiet', 'processors, machine', 'quiet'], rest)}"
    )


@contextmanager
def _without_processing(site: Site, file: Path) -> Iterator[str]:
    """Upload a video for all members while nothing is processed; yield the path of its page.

    An event stream ends once its video is processed, so the transcode service is paused. Where it
    was paused within a transaction, nothing can be written, and it is paused again later.
    """
    pids = site.parts.get("transcode_service", ())
    everyone = {*pids, *(child for pid in pids for child in descendants(pid))}
    try:
        for _ in range(_PAUSES):
            _signal(everyone, signal.SIGSTOP)
            with suppress(requests.HTTPError):
                video = site.admin.upload(file)
                break
            _signal(everyone, signal.SIGCONT)
            time.sleep(_SETTLE)
        else:
            raise RuntimeError("a video could not be uploaded")
        site.admin.set_visibility(video, "members")
        yield f"/stream/{video}"
    finally:
        _signal(everyone, signal.SIGCONT)


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
