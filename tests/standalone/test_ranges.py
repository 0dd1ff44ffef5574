"""Ranges beyond the table of questions (tests/delivery)."""

from tests.standalone.harness import BYTES, MEDIA, VIDEO, Front


def test_two_range_headers_are_several_ranges(front: Front) -> None:
    with front.connect() as client:
        client.sendall(
            f"GET {MEDIA} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            "Range: bytes=0-1\r\nRange: bytes=5-6\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: client.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(BYTES)


def test_an_empty_file_has_no_ranges(front: Front) -> None:
    file = front.videos / VIDEO / "poster.jpg"
    file.write_bytes(b"")

    answers = [
        front.ask(f"/stream/{VIDEO}/poster.jpg", {"Range": asked} if asked else {})
        for asked in ("", "bytes=0-")
    ]

    assert [answer.status for answer in answers] == [200, 200]
