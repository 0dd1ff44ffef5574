"""Files in an object store: how they leave, what is kept, and what happens without the store."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from http.client import IncompleteRead
from pathlib import Path
from random import Random
from secrets import token_hex
from threading import Event
from urllib.parse import urlsplit

import pytest

from common.storage.s3 import S3Store
from tests.fake_service import FakeService, Reply, Seen
from tests.faulty_store import Fault, FaultyProxy
from tests.faulty_store import faulty as faulty_proxy
from tests.object_stores import ObjectStore, seaweedfs
from tests.waiting import wait_until

from .harness import ALICE, BOB, BYTES, MEDIA, VIDEO, Gateway, newcomer, running

pytestmark = pytest.mark.needs_nginx

SLICE = 1 << 20
FILM = Random(2).randbytes(2 * SLICE + 1000)
DISPOSITION = "attachment; filename=\"Sea.mp4\"; filename*=UTF-8''Sea.mp4"


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """A real object store."""
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as store:
        yield store


TYPES = {
    "video.mp4": "video/mp4",
    "download": "video/mp4",
    "poster.jpg": "image/jpeg",
    "hls/360p.m3u8": "application/vnd.apple.mpegurl",
    "storyboard.vtt": "text/vtt; charset=utf-8",
}


@dataclass
class Shelf:
    """A gateway in front of a store, and a way to say where a file is."""

    gateway: Gateway
    store: S3Store
    places: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, content: bytes, key: str) -> None:
        """Put a file into the store, as what the URL with this name stands for."""
        kind = TYPES[name]
        self.store.put(key, content, content_type=kind)
        self.places[name] = key

    def authorise(self, seen: Seen) -> Reply:
        """Answer as the streaming service does; Alice may have everything."""
        if seen.header("X-Session-Token") in (BOB, None):
            return Reply(403)
        key = self.places.get(seen.header("X-Media-Name") or "")
        if key is None:
            return Reply(204, {"X-Media-Path": f"{VIDEO}/original.mp4"})
        url = urlsplit(self.store.presign(key, seconds=600))
        headers = {"X-Media-Key": key, "X-Media-Url": f"{url.path}?{url.query}"}
        return Reply(204, headers | {"X-Media-Disposition": DISPOSITION})


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, objects: ObjectStore) -> Iterator[Shelf]:
    """A gateway whose videos are in the store."""
    with running(tmp_path_factory.mktemp("gateway"), **objects.environ) as gateway:
        found = Shelf(gateway, S3Store(objects.settings))
        gateway.streaming.reply = found.authorise
        found.put("video.mp4", FILM, f"{VIDEO}/1/original.mp4")
        found.put("download", FILM, f"{VIDEO}/1/original.mp4")
        found.put("poster.jpg", BYTES, f"{VIDEO}/2/poster.jpg")
        found.put("hls/360p.m3u8", b"#EXTM3U\n", f"{VIDEO}/3/hls/360p.m3u8")
        found.put("storyboard.vtt", b"WEBVTT\n", f"{VIDEO}/4/storyboard.vtt")
        yield found


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        (None, 200, 0, len(FILM) - 1),
        ("bytes=0-99", 206, 0, 99),
        ("bytes=0-0", 206, 0, 0),
        ("bytes=-10", 206, len(FILM) - 10, len(FILM) - 1),
        (f"bytes={SLICE - 5}-{SLICE + 5}", 206, SLICE - 5, SLICE + 5),
        (f"bytes={2 * SLICE}-", 206, 2 * SLICE, len(FILM) - 1),
        ("bytes=5-99999999", 206, 5, len(FILM) - 1),
        ("items=0-5", 200, 0, len(FILM) - 1),
        ("bytes=0-1,5-6", 200, 0, len(FILM) - 1),
    ],
)
def test_ranges(shelf: Shelf, asked: str | None, status: int, first: int, last: int) -> None:
    answer = shelf.gateway.ask(MEDIA, token=ALICE, headers={"Range": asked} if asked else {})

    assert (answer.status, len(answer.body)) == (status, last - first + 1)
    assert answer.body == FILM[first : last + 1]
    assert answer.header("Content-Length") == str(last - first + 1)
    if status == 206:
        assert answer.header("Content-Range") == f"bytes {first}-{last}/{len(FILM)}"


@pytest.mark.parametrize("asked", ["bytes=-0", "bytes=99999999-", "bytes=5-2"])
def test_a_range_that_cannot_be_satisfied(shelf: Shelf, asked: str) -> None:
    answer = shelf.gateway.ask(MEDIA, token=ALICE, headers={"Range": asked})

    assert answer.status == 416
    # Of a range that begins past the last slice only the store knows that.
    expected = None if asked == "bytes=99999999-" else f"bytes */{len(FILM)}"
    assert answer.header("Content-Range") == expected
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("video.mp4", len(FILM)),
        ("download", len(FILM)),
        ("poster.jpg", len(BYTES)),
        ("hls/360p.m3u8", 8),
        ("storyboard.vtt", 7),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_headers(shelf: Shelf, name: str, length: int, method: str) -> None:
    answer = shelf.gateway.ask(f"/stream/{VIDEO}/{name}", token=ALICE, method=method)

    assert answer.status == 200
    assert len(answer.body) == (length if method == "GET" else 0)
    assert answer.headers.get_all("Content-Type") == [TYPES[name]]
    assert answer.header("Content-Length") == str(length)
    assert answer.headers.get_all("Cache-Control") == ["private, no-cache"]
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.headers.get_all("X-Request-Id") is not None
    assert answer.header("Accept-Ranges") == "bytes"
    assert answer.header("ETag")
    assert answer.header("Content-Disposition") == (DISPOSITION if name == "download" else None)
    strange = [h for h in answer.headers if h.lower().startswith(("x-amz", "x-media", "set-"))]
    assert not strange


def test_a_file_that_has_not_changed_is_not_sent_again(shelf: Shelf) -> None:
    first = shelf.gateway.ask(f"/stream/{VIDEO}/poster.jpg", token=ALICE)
    etag = first.header("ETag") or ""
    again = shelf.gateway.ask(
        f"/stream/{VIDEO}/poster.jpg", token=ALICE, headers={"If-None-Match": etag}
    )

    assert (again.status, again.body) == (304, b"")


def test_a_file_on_the_disk_beside_them(shelf: Shelf) -> None:
    shelf.gateway.put_video(VIDEO)

    answer = shelf.gateway.ask(f"/stream/{VIDEO}/hls/1080p.mp4", token=ALICE)

    assert (answer.status, answer.body) == (200, BYTES)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_file_is_only_read(shelf: Shelf, method: str) -> None:
    answer = shelf.gateway.ask(MEDIA, token=ALICE, method=method)

    assert (answer.status, answer.header("Allow")) == (405, "GET, HEAD")
    assert answer.json()["error"]


def test_what_is_nowhere(shelf: Shelf) -> None:
    def nowhere(_: Seen) -> Reply:
        return Reply(204, {"X-Media-Path": f"{VIDEO}/hls/none.mp4"})

    shelf.gateway.streaming.reply = nowhere
    try:
        answer = shelf.gateway.ask(f"/stream/{VIDEO}/hls/none.mp4", token=newcomer())
    finally:
        shelf.gateway.streaming.reply = shelf.authorise

    assert answer.status == 404
    assert answer.json()["error"]


def test_who_may_not_gets_nothing_of_what_is_kept(shelf: Shelf) -> None:
    assert shelf.gateway.ask(MEDIA, token=ALICE).status == 200

    assert shelf.gateway.ask(MEDIA, token=BOB).status == 404


@pytest.mark.parametrize(
    "url", ["/bucket/key", "http://elsewhere/?a", "/a?b#c", "/a?b\tc", "/a b?c", ""]
)
def test_an_address_of_another_form_leads_nowhere(shelf: Shelf, url: str) -> None:
    def answer(_: Seen) -> Reply:
        return Reply(204, {"X-Media-Key": "k", "X-Media-Url": url})

    shelf.gateway.streaming.reply = answer
    try:
        assert shelf.gateway.ask(MEDIA, token=newcomer()).status == 404
    finally:
        shelf.gateway.streaming.reply = shelf.authorise


@pytest.mark.parametrize(
    "address",
    [
        "https://media.example.org/bcdn_token=HS256-a_b&expires=1/v/0/hls/720p.mp4",
        "https://media.example.org/v/0/hls/720p.mp4?verify=1-a%2Bb%3D",
        "http://127.0.0.1:8080/1/mac/v/0/hls/720p.mp4",
    ],
)
def test_a_segment_is_redirected_to_the_cdn(shelf: Shelf, address: str) -> None:
    shelf.gateway.streaming.reply = lambda _: Reply(204, {"X-Media-Redirect": address})
    try:
        answer = shelf.gateway.ask(f"/stream/{VIDEO}/hls/720p.mp4", token=newcomer())
    finally:
        shelf.gateway.streaming.reply = shelf.authorise

    assert (answer.status, answer.header("Location")) == (307, address)
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Media-Redirect") is None
    assert answer.header("X-Request-Id")


@pytest.mark.parametrize(
    "address", ["//media.example.org/x", "javascript:alert(1)", "https://a/x y", "https://a@b/x"]
)
def test_an_address_of_another_form_is_no_cdn(shelf: Shelf, address: str) -> None:
    shelf.gateway.streaming.reply = lambda _: Reply(204, {"X-Media-Redirect": address})
    try:
        answer = shelf.gateway.ask(f"/stream/{VIDEO}/hls/720p.mp4", token=newcomer())
    finally:
        shelf.gateway.streaming.reply = shelf.authorise

    assert answer.status == 404


# The store, from the gateway's side --------------------------------------------------------------


@dataclass
class FaultyStore:
    """A gateway in front of a store that answers as a test says."""

    gateway: Gateway
    store: FakeService
    key: int = 0

    def ask_anew(self, **headers: str) -> tuple[int, bytes, str | None]:
        """Ask for an object that is not kept; return status, body and `Retry-After`."""
        self.key += 1
        return self.ask(**headers)

    def ask(self, **headers: str) -> tuple[int, bytes, str | None]:
        """Ask for the same object again."""
        answer = self.gateway.ask(MEDIA, token=newcomer(), headers=headers)
        return answer.status, answer.body, answer.header("Retry-After")

    def authorise(self, _: Seen) -> Reply:
        """Answer as the streaming service does."""
        return Reply(204, {"X-Media-Key": f"key/{self.key}", "X-Media-Url": "/matinee/key?sign=1"})


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyStore]:
    """A gateway in front of a stand-in for a store."""
    store = FakeService("store")
    environ = {"S3_ENDPOINT": f"http://127.0.0.1:{store.port}", "S3_BUCKET": "matinee"}
    try:
        with running(tmp_path_factory.mktemp("gateway"), **environ) as gateway:
            found = FaultyStore(gateway, store)
            gateway.streaming.reply = found.authorise
            yield found
    finally:
        store.close()


def in_slices(content: bytes) -> Callable[[Seen], Reply]:
    """Answer ranges as a store does."""

    def reply(seen: Seen) -> Reply:
        first, last = map(int, (seen.header("Range") or "").removeprefix("bytes=").split("-"))
        last = min(last, len(content) - 1)
        span = {"Content-Range": f"bytes {first}-{last}/{len(content)}", "ETag": '"e"'}
        return Reply(206, span, content[first : last + 1])

    return reply


def test_the_store_learns_nothing_of_the_viewer(faulty: FaultyStore) -> None:
    faulty.store.reply = in_slices(FILM)
    faulty.store.seen.clear()

    status, body, _ = faulty.ask_anew(Authorization="Bearer secret", **{"X-Strange": "1"})

    assert (status, sha256(body).digest()) == (200, sha256(FILM).digest())
    assert len(faulty.store.seen) == 3
    for seen in faulty.store.seen:
        assert seen.path == "/matinee/key?sign=1"
        assert seen.header("Host") == f"127.0.0.1:{faulty.store.port}"
        for name in ("Cookie", "Authorization", "X-Strange", "X-Forwarded-For", "X-Request-Id"):
            assert seen.header(name) is None


def test_many_viewers_of_a_slice_cause_one_fetch(faulty: FaultyStore) -> None:
    faulty.store.reply = in_slices(FILM)
    faulty.store.seen.clear()
    faulty.key += 1

    with ThreadPoolExecutor(100) as pool:
        asked = [pool.submit(faulty.ask, Range="bytes=0-99") for _ in range(100)]
        answers = {one.result()[:2] for one in asked}

    assert answers == {(206, FILM[:100])}
    assert len(faulty.store.seen) == 1


def test_a_fetch_that_hangs_does_not_keep_other_viewers_of_the_slice(
    faulty: FaultyStore,
) -> None:
    answer, begun, released = in_slices(FILM), Event(), Event()

    def hang_once(seen: Seen) -> Reply:
        if not begun.is_set():
            begun.set()
            released.wait(20)
        return answer(seen)

    faulty.store.reply = hang_once
    faulty.key += 1
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(faulty.ask, Range="bytes=0-99")
        assert begun.wait(10)
        try:
            status, body, _ = faulty.ask(Range="bytes=0-99")
            assert not hanging.done()
        finally:
            released.set()

    assert (status, body) == (206, FILM[:100])


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 429, 500, 503, 504])
def test_an_error_of_the_store_is_a_503(faulty: FaultyStore, status: int) -> None:
    faulty.store.reply = lambda _: Reply(
        status, {"Location": "/elsewhere"}, b"<Error>secret</Error>"
    )

    answered, body, retry_after = faulty.ask_anew()

    assert (answered, retry_after) == (503, "2")
    assert b"secret" not in body


@pytest.mark.parametrize("fault", ["refused", "cut"])
def test_the_log_says_what_the_store_answered_and_no_address_of_it(
    faulty: FaultyStore, fault: str
) -> None:
    def cut(_: Seen) -> Reply:
        raise ConnectionResetError

    def is_ours(line: Mapping[str, str]) -> bool:
        return line.get("object") == f"key/{faulty.key}"

    faulty.store.reply = cut if fault == "cut" else lambda _: Reply(403)
    faulty.ask_anew(Range="bytes=0-99")

    wait_until(lambda: any(map(is_ours, faulty.gateway.log())), what="a line in the log")
    lines = list(filter(is_ours, faulty.gateway.log()))
    assert [line["range"] for line in lines] == [f"bytes=0-{SLICE - 1}"]
    # Of several, the last one: a connection that was kept is tried first.
    assert lines[0]["store_status"].split(", ")[-1] == ("502" if fault == "cut" else "403")
    assert f"127.0.0.1:{faulty.store.port}" in lines[0]["store"]
    for log in ("access.log", "error.log"):
        assert "sign=1" not in (faulty.gateway.folder / log).read_text()


def test_what_is_kept_is_played_without_the_store(faulty: FaultyStore) -> None:
    faulty.store.reply = in_slices(FILM)
    assert faulty.ask_anew(Range=f"bytes=0-{SLICE - 1}")[0] == 206
    faulty.store.reply = lambda _: Reply(503)

    status, body, _ = faulty.ask(Range="bytes=1000-1999")
    missing, _, retry_after = faulty.ask(Range=f"bytes={SLICE}-{SLICE + 99}")

    assert (status, body) == (206, FILM[1000:2000])
    assert (missing, retry_after) == (503, "2")


@dataclass
class SpoiltShelf:
    """A gateway that reads a real store through a proxy."""

    gateway: Gateway
    proxy: FaultyProxy
    key: str = ""

    def put(self, content: bytes) -> None:
        """Put a new object into the store, as what is asked for."""
        store = S3Store(self.proxy.settings)
        self.key = f"{VIDEO}/{token_hex(8)}/original.mp4"
        store.put(self.key, content, content_type="video/mp4")

    def authorise(self, _: Seen) -> Reply:
        """Answer as the streaming service does."""
        url = urlsplit(S3Store(self.proxy.settings).presign(self.key, seconds=600))
        place = {"X-Media-Key": self.key, "X-Media-Url": f"{url.path}?{url.query}"}
        return Reply(204, place)


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory, objects: ObjectStore) -> Iterator[SpoiltShelf]:
    """A gateway that waits for half a second for the store, before a proxy."""
    with faulty_proxy(objects.settings) as proxy:
        environ = ObjectStore(proxy.settings, objects.process).environ
        gateway = Gateway(tmp_path_factory.mktemp("gateway"))
        try:
            gateway.render(environ)
            slices = gateway.folder / "etc/slices.conf"
            text = slices.read_text()
            assert text.count("proxy_read_timeout 10s;") == 1
            slices.write_text(text.replace("proxy_read_timeout 10s;", "proxy_read_timeout 500ms;"))
            gateway.start()
            shelf = SpoiltShelf(gateway, proxy)
            gateway.streaming.reply = shelf.authorise
            yield shelf
        finally:
            gateway.stop()


@pytest.mark.parametrize("fault", [Fault.DENIED, Fault.SLOW_DOWN, Fault.SILENT])
def test_a_store_that_does_not_answer_well_is_a_503_until_it_does(
    spoilt: SpoiltShelf, fault: Fault
) -> None:
    spoilt.put(FILM)
    spoilt.proxy.fault = fault
    try:
        answer = spoilt.gateway.ask(MEDIA, token=newcomer())
    finally:
        spoilt.proxy.fault = None
    after = spoilt.gateway.ask(MEDIA, token=newcomer())

    assert (answer.status, answer.header("Retry-After")) == (503, "2")
    assert (after.status, after.body) == (200, FILM)


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("fault", [Fault.CUT, Fault.SILENT_HALFWAY])
def test_half_a_slice_is_not_passed_on_and_not_kept(
    spoilt: SpoiltShelf, fault: Fault, at: int
) -> None:
    spoilt.put(FILM)
    token = newcomer()
    for number in range(at):
        span = {"Range": f"bytes={number * SLICE}-{(number + 1) * SLICE - 1}"}
        assert spoilt.gateway.ask(MEDIA, token=token, headers=span).status == 206
    spoilt.proxy.fault = fault
    try:
        if at == 0:
            answer = spoilt.gateway.ask(MEDIA, token=token)
            assert (answer.status, answer.header("Retry-After")) == (503, "2")
        else:
            with pytest.raises(IncompleteRead) as cut:
                spoilt.gateway.ask(MEDIA, token=token)
            assert cut.value.partial == FILM[: at * SLICE]
    finally:
        spoilt.proxy.fault = None
    after = spoilt.gateway.ask(MEDIA, token=token)

    assert (after.status, after.body) == (200, FILM)


def test_without_a_store_its_files_are_a_503(tmp_path: Path) -> None:
    with running(tmp_path) as gateway:
        gateway.streaming.reply = lambda _: Reply(
            204, {"X-Media-Key": "k", "X-Media-Url": "/matinee/key?sign=1"}
        )

        answer = gateway.ask(MEDIA, token=newcomer())

    assert (answer.status, answer.header("Retry-After")) == (503, "2")
