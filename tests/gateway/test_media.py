"""How a file leaves: ranges, conditions, methods and headers (RFC 9110, 13 and 14)."""

import pytest

from .harness import ALICE, BOB, BYTES, MEDIA, Gateway

pytestmark = pytest.mark.needs_nginx


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


@pytest.mark.parametrize("asked", [None, "bytes=0-99", "bytes=1000-"])
def test_head_gives_the_headers_of_get(gateway: Gateway, asked: str | None) -> None:
    headers = {"Range": asked} if asked else {}
    got = gateway.ask(MEDIA, token=ALICE, headers=headers)
    head = gateway.ask(MEDIA, token=ALICE, headers=headers, method="HEAD")

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
