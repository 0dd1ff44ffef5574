"""How a file leaves: ranges, conditions, methods and headers (RFC 9110, 13 and 14)."""

from pathlib import Path

import pytest

from streaming_service.delivery.files import media_file
from tests.fake_service import Reply, Seen
from tests.site import MEDIA_TYPES

from .harness import ALICE, BOB, BYTES, MEDIA, VIDEO, Gateway, allow_only

pytestmark = pytest.mark.needs_nginx

# Of a video of its own: an answer about the other's is kept for its second, without a name.
KEPT = "K" * 22
DOWNLOAD = f"/stream/{KEPT}/download"


@pytest.mark.parametrize(
    ("asked", "status", "expected"),
    [
        (None, 200, BYTES),
        ("bytes=0-99", 206, BYTES[:100]),
        ("bytes=0-0", 206, BYTES[:1]),
        ("bytes=-10", 206, BYTES[-10:]),
        ("bytes=990-5000", 206, BYTES[990:]),
        ("bytes=990-", 206, BYTES[990:]),
        ("bytes=-5000", 206, BYTES),
        ("items=0-5", 200, BYTES),
        ("bytes=0-1,5-6", 200, BYTES),
        ("bytes=" + ",".join(["0-0"] * 1000), 200, BYTES),
    ],
)
def test_ranges(gateway: Gateway, asked: str | None, status: int, expected: bytes) -> None:
    answer = gateway.ask(MEDIA, token=ALICE, headers={"Range": asked} if asked else {})

    assert (answer.status, answer.body) == (status, expected)
    assert answer.header("Content-Length") == str(len(expected))
    if status == 206:
        first = BYTES.index(expected)
        assert answer.header("Content-Range") == f"bytes {first}-{first + len(expected) - 1}/1000"


@pytest.mark.parametrize("asked", ["bytes=-0", "bytes=1000-", "bytes=5000-6000", "bytes=5-2"])
def test_a_range_that_cannot_be_satisfied(gateway: Gateway, asked: str) -> None:
    answer = gateway.ask(MEDIA, token=ALICE, headers={"Range": asked})

    assert answer.status == 416
    assert answer.header("Content-Range") == "bytes */1000"
    assert answer.header("Cache-Control") == "private, no-cache"
    assert answer.json()["error"]


def test_media_headers(gateway: Gateway) -> None:
    answer = gateway.ask(MEDIA, token=ALICE)

    assert answer.header("Content-Type") == "video/mp4"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Cache-Control") == "private, no-cache"
    assert answer.header("Accept-Ranges") == "bytes"
    assert answer.header("ETag")
    assert answer.header("Set-Cookie") is None
    assert answer.header("X-Media-Path") is None
    assert answer.header("X-Request-Id")


@pytest.mark.parametrize("path", [MEDIA, DOWNLOAD])
@pytest.mark.parametrize("asked", [None, "bytes=0-99", "bytes=1000-"])
def test_head_gives_the_headers_of_get(gateway: Gateway, path: str, asked: str | None) -> None:
    gateway.put_video(KEPT)
    headers = {"Range": asked} if asked else {}
    got = gateway.ask(path, token=ALICE, headers=headers)
    head = gateway.ask(path, token=ALICE, headers=headers, method="HEAD")

    assert head.body == b""
    assert head.status == got.status
    for name in ("Content-Length", "Content-Range", "Content-Type", "ETag", "Cache-Control"):
        assert head.header(name) == got.header(name)


def test_if_range(gateway: Gateway) -> None:
    tag = gateway.ask(MEDIA, token=ALICE).header("ETag") or ""
    asked = {"Range": "bytes=0-99"}

    same = gateway.ask(MEDIA, token=ALICE, headers=asked | {"If-Range": tag})
    other = gateway.ask(MEDIA, token=ALICE, headers=asked | {"If-Range": '"another"'})

    assert (same.status, same.body) == (206, BYTES[:100])
    assert (other.status, other.body) == (200, BYTES)


def test_if_none_match_with_a_range(gateway: Gateway) -> None:
    tag = gateway.ask(MEDIA, token=ALICE).header("ETag") or ""
    asked = {"Range": "bytes=0-99", "If-None-Match": tag}

    answer = gateway.ask(MEDIA, token=ALICE, headers=asked)

    assert (answer.status, answer.body) == (304, b"")
    assert answer.header("Cache-Control") == "private, no-cache"
    assert gateway.ask(MEDIA, token=BOB, headers=asked).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_other_methods(gateway: Gateway, method: str) -> None:
    owner = gateway.ask(MEDIA, token=ALICE, method=method)
    stranger = gateway.ask(MEDIA, token=BOB, method=method)
    nobody = gateway.ask(MEDIA, method=method)

    assert (owner.status, stranger.status, nobody.status) == (405, 404, 401)
    assert owner.header("Allow") == "GET, HEAD"
    assert "error" in owner.json()


def test_a_file_that_is_gone_is_not_served(gateway: Gateway) -> None:
    video = "D" * 22
    gateway.put_video(video)
    assert gateway.ask(f"/stream/{video}/video.mp4", token=ALICE).status == 200

    (gateway.videos / video / "original.mp4").unlink()

    assert gateway.ask(f"/stream/{video}/video.mp4", token=ALICE).status == 404


def test_a_large_file_arrives_whole(gateway: Gateway) -> None:
    data = bytes(range(256)) * 40960
    gateway.put_video("G" * 22, data)

    answer = gateway.ask(f"/stream/{'G' * 22}/video.mp4", token=ALICE)
    tail = gateway.ask(
        f"/stream/{'G' * 22}/video.mp4", token=ALICE, headers={"Range": "bytes=10000001-"}
    )

    assert answer.body == data
    assert tail.body == data[10000001:]


# Names --------------------------------------------------------------------------------------------

NAMES = [
    "video.mp4", "download", "poster.jpg", "storyboard.jpg", "storyboard.vtt", "master.m3u8",
    "hls/720p.m3u8", "hls/720p.mp4", "hls/audio-de-1.mp4", f"hls/{'a' * 32}.mp4",
    f"hls/{'a' * 33}.mp4", "hls/.mp4", "hls/A.mp4", "hls/a_b.mp4", "hls/a.ts", "hls/a.b.mp4",
    "hls/a/b.mp4", "hls/master.m3u8", "hls", "hls/", "original.mp4", "poster.png", "poster.jpg/",
    "storyboard.mp4", "downloads", "download.mp4", "captions/en.vtt", "captions/video.mp4", "x",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_gateway_knows_the_names_that_the_service_knows(gateway: Gateway, name: str) -> None:
    video = f"names-{NAMES.index(name):016d}"
    gateway.put_video(video)
    media = media_file(name)
    if media is not None:
        file = gateway.videos / video / media.path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(BYTES)

    answer = gateway.ask(f"/stream/{video}/{name}", token=ALICE)

    asked = [seen for seen in gateway.streaming.seen if seen.path == "/internal/authorise"]
    if media is None:
        assert asked == []
        assert answer.body != BYTES
        return
    assert (answer.status, answer.body) == (200, BYTES)
    kind = "application/octet-stream" if media.is_download else MEDIA_TYPES[Path(name).suffix]
    assert answer.header("Content-Type") == kind
    assert answer.header("Cache-Control") == "private, no-cache"
    assert asked[-1].header("X-Media-Name") == name
    stranger = gateway.ask(f"/stream/{video}/{name}", token=BOB)
    assert (stranger.status, stranger.body == BYTES) == (404, False)
    assert gateway.ask(f"/stream/{video}/{name}").status == 401


def test_captions_are_a_page_of_the_service(gateway: Gateway) -> None:
    path = f"/stream/{VIDEO}/captions/en.vtt"

    answer = gateway.ask(path, token=BOB)

    assert answer.body == b"streaming"
    assert gateway.streaming.seen[-1].path == path


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("asked", "status"), [(None, 200), ("bytes=10-19", 206)])
def test_a_download_is_of_no_type_that_a_browser_would_play(
    gateway: Gateway, asked: str | None, status: int, method: str
) -> None:
    gateway.put_video(KEPT)
    headers = {"Range": asked} if asked else {}

    answer = gateway.ask(DOWNLOAD, token=ALICE, headers=headers, method=method)

    assert answer.status == status
    assert answer.header("Content-Type") == "application/octet-stream"
    assert answer.header("X-Content-Type-Options") == "nosniff"


DISPOSITION = "attachment; filename=\"Sea.mp4\"; filename*=UTF-8''Sea.mp4"


def test_a_download_is_kept_under_the_name_that_the_service_says(gateway: Gateway) -> None:
    told = allow_only(ALICE)

    def reply(seen: Seen) -> Reply:
        answer = told(seen)
        return Reply(answer.status, {**answer.headers, "X-Media-Disposition": DISPOSITION})

    gateway.streaming.reply = reply
    for _ in range(2):  # asked, and kept
        answer = gateway.ask(f"/stream/{VIDEO}/download", token=ALICE)
        refused = gateway.ask(f"/stream/{VIDEO}/download", token=BOB)

        assert answer.body == BYTES
        assert answer.header("Content-Disposition") == DISPOSITION
        assert answer.header("X-Media-Disposition") is None
        assert refused.header("Content-Disposition") is None
    watched = gateway.ask(MEDIA, token=ALICE)
    assert watched.header("Content-Disposition") is None
