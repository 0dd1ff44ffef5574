"""Requests for files of videos over real connections, as gunicorn's worker takes them.

Which way a request went is seen by gunicorn's signature, the `Server` header.
"""

import os
import signal
import socket
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import NamedTuple

import pytest

from db.models import Visibility
from streaming_service.media_worker import environ_of

from .conftest import BYTES
from .servers import Server, standalone
from .stock import Stock, fill

PAGE = b"GET /login HTTP/1.1\r\nHost: matinee\r\n\r\n"


class House(NamedTuple):
    """The site, and a private video of Alice's."""

    server: Server
    stock: Stock

    @property
    def path(self) -> str:
        """Where the film is."""
        return f"/stream/{self.stock.videos[0]}/video.mp4"

    def connect(self) -> socket.socket:
        """Open a connection to the site, with a page as its first answer.

        gunicorn itself waits for what comes first, if it does not come with the connection.
        """
        connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=10)
        connection.sendall(PAGE)
        assert read(connection).by_gunicorn
        return connection

    def request(
        self, name: str = "alice", more: str = "", *, start: str = "", part: str = "bytes=5-9"
    ) -> bytes:
        """Return what somebody's player sends."""
        start = start or f"GET {self.path} HTTP/1.1"
        return (
            f"{start}\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\nUser-Agent: Mozilla/5.0\r\n"
            f"Accept: */*\r\nCookie: matinee_session={self.stock.tokens[name]}\r\n"
            f"Range: {part}\r\n{more}\r\n"
        ).encode()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[House]:
    """Run the site with stores of this module's own."""
    folder = tmp_path_factory.mktemp("house")
    stock = fill(folder, redis_url, contents=[BYTES], visibility=Visibility.PRIVATE)
    with standalone(folder, video_id=stock.videos[0], environment=stock.environment) as server:
        yield House(server, stock)


class Answer(NamedTuple):
    """What came, and whether gunicorn wrote it."""

    status: int
    body: bytes
    by_gunicorn: bool


def read(connection: socket.socket, method: str = "GET") -> Answer:
    """Read one answer."""
    answer = HTTPResponse(connection, method=method)
    answer.begin()
    return Answer(answer.status, answer.read(), "Server" in answer.headers)


def test_ranges_go_the_short_way(house: House) -> None:
    with house.connect() as connection:
        for first in (0, 990, 17):
            connection.sendall(house.request(part=f"bytes={first}-{first + 9}"))
            assert read(connection) == (206, BYTES[first : first + 10], False)


def test_a_refusal_on_the_short_way_is_worded_as_all_are(house: House) -> None:
    with house.connect() as connection:
        for name, asked, status in [("bob", "bytes=5-9", 404), ("alice", "bytes=1000-", 416)]:
            connection.sendall(house.request(name, part=asked))
            short = read(connection)
            assert (short.status, short.by_gunicorn) == (status, False)
            connection.sendall(house.request(name, "X-Other: 1\r\n", part=asked))
            long = read(connection)
            assert (long.status, long.by_gunicorn) == (status, True)
            assert short.body == long.body
        connection.sendall(house.request())
        assert read(connection).body == BYTES[5:10]


def test_a_head_has_no_body(house: House) -> None:
    with house.connect() as connection:
        for name, status in [("alice", 206), ("bob", 404), ("alice", 206)]:
            connection.sendall(house.request(name, start=f"HEAD {house.path} HTTP/1.1"))
            assert read(connection, "HEAD") == (status, b"", False)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ("X-Other: 1\r\n", 206),
        ("If-None-Match: \t*\r\n", 304),
        ("If-None-Match:*\r\n", 304),
        ("Referer: http://127.0.0.1/\xe9\r\n", 206),
        ("X-Forwarded-For: 10.0.0.1\r\n", 206),
        ("X-Forwarded-Proto: https\r\n", 401),  # the cookie has another name then
        ("Content-Length: 0\r\n", 206),
        ("Transfer-Encoding: chunked\r\n\r\n0\r\n", 206),
        ("Cookie: matinee_session=other\r\n", None),
        ("Range: bytes=0-0\r\n", None),
    ],
)
def test_what_looks_different_goes_the_long_way(
    house: House, more: str, status: int | None
) -> None:
    with house.connect() as connection:
        connection.sendall(house.request(more=more))
        answer = read(connection)
        assert answer.by_gunicorn
        assert status in (answer.status, None)
        connection.sendall(house.request())
        assert read(connection).status == 206


@pytest.mark.parametrize(
    "start",
    ["GET {} HTTP/1.0", "GET {}?x HTTP/1.1", "POST {} HTTP/1.1"],
)
def test_another_first_line_goes_the_long_way(house: House, start: str) -> None:
    with house.connect() as connection:
        connection.sendall(house.request(start=start.format(house.path)))
        assert read(connection).by_gunicorn


@pytest.mark.parametrize("name", ["", "edit", "captions", "events", "original.mp4", "hls/../x"])
def test_other_addresses_of_a_video_go_the_long_way(house: House, name: str) -> None:
    """Some of them are answered for as long as somebody listens."""
    start = f"GET /stream/{house.stock.videos[0]}/{name} HTTP/1.1"
    assert environ_of(house.request(start=start)) is None
    assert environ_of(house.request()) is not None


def test_a_client_that_wants_no_more_is_let_go(house: House) -> None:
    with house.connect() as connection:
        wish = house.request().replace(b"keep-alive", b"close")
        connection.sendall(wish)
        assert read(connection).status == 206
        assert connection.recv(1) == b""


def test_pages_and_ranges_share_a_connection(house: House) -> None:
    with house.connect() as connection:
        for _ in range(3):
            connection.sendall(house.request())
            assert read(connection) == (206, BYTES[5:10], False)
            connection.sendall(PAGE)
            assert read(connection).by_gunicorn


def test_a_request_in_pieces_is_answered(house: House) -> None:
    sent = house.request()
    with house.connect() as connection:
        for at in range(0, len(sent), 40):
            connection.sendall(sent[at : at + 40])
        assert read(connection)[:2] == (206, BYTES[5:10])


def test_less_or_more_than_one_request_is_none(house: House) -> None:
    sent = house.request()
    assert environ_of(sent) is not None
    assert not any(environ_of(sent[:length]) for length in range(len(sent)))
    assert environ_of(sent + b"G") is None


def test_what_gunicorn_has_read_ahead_comes_first(house: House) -> None:
    """It reads 8 KiB at once: here two requests to the byte, with a third behind them."""
    pad = 8192 - len(PAGE) - len(house.request(more="X-Pad: \r\n"))
    more = f"X-Pad: {'a' * pad}\r\n"
    with house.connect() as connection:
        connection.sendall(PAGE + house.request(more=more) + house.request(part="bytes=0-0"))
        stream = connection.makefile("rb")
        assert b"200" in stream.readline()
        lengths = []
        while len(lengths) < 3:
            if (line := stream.readline()).lower().startswith(b"content-length: "):
                lengths.append(int(line.split()[1]))
                while stream.readline() != b"\r\n":
                    pass
                stream.read(lengths[-1])
        assert lengths[1:] == [5, 1]


def test_two_requests_at_once_get_two_answers(house: House) -> None:
    with house.connect() as connection:
        connection.sendall(house.request() + house.request(part="bytes=7-8"))
        stream = connection.makefile("rb")
        bodies = []
        for length in (5, 2):
            assert b"206" in stream.readline()
            while stream.readline() != b"\r\n":
                pass
            bodies.append(stream.read(length))
        assert bodies == [BYTES[5:10], BYTES[7:9]]


def test_a_stopping_worker_says_that_it_ends(house: House) -> None:
    [worker] = house.server.workers()
    with house.connect() as connection:
        connection.sendall(house.request())
        assert read(connection).status == 206
        os.kill(worker, signal.SIGTERM)
        assert connection.recv(1) == b""
