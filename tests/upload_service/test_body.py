"""Bodies as they arrive: nothing that was received is lost, and nobody waits without an end."""

import io
from collections.abc import Iterator
from typing import Any

import gevent
import gevent.socket
import pytest
from flask import Request
from gunicorn.http.body import Body as GunicornBody
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.unreader import SocketUnreader

from upload_service.receive import body as body_module
from upload_service.receive.body import (
    PIECE,
    Body,
    BodyTooLarge,
    ClientDisconnected,
    LengthRequired,
    RequestTimeout,
)


class Broken(io.BytesIO):
    """A connection that fails."""

    def read(self, *_: Any) -> bytes:
        raise ConnectionResetError


def body(stream: io.BytesIO, length: int | None = None, **environ: Any) -> Body:
    """A request's body under a server that is not gunicorn."""
    values = {"wsgi.input": stream, "REQUEST_METHOD": "POST", **environ}
    if length is not None:
        values["CONTENT_LENGTH"] = str(length)
    return Body(Request(values))


def sizes(body: Body, *, max_bytes: int | None = None) -> list[int]:
    """Receive it all, and return the sizes of the pieces."""
    return [len(piece) for piece in body.pieces(max_bytes=max_bytes)]


def test_it_ends_where_its_length_says() -> None:
    stream = io.BytesIO(b"x" * (PIECE + 5) + b"the next request")
    assert sizes(body(stream, PIECE + 5)) == [PIECE, 5]
    assert stream.read() == b"the next request"


def test_in_chunks_it_ends_where_the_server_says() -> None:
    chunked = {"wsgi.input_terminated": True}
    assert sizes(body(io.BytesIO(b"abc"), **chunked), max_bytes=3) == [3]
    with pytest.raises(BodyTooLarge):
        sizes(body(io.BytesIO(b"abcd"), **chunked), max_bytes=3)


def test_without_any_end_it_is_refused() -> None:
    with pytest.raises(LengthRequired):
        body(io.BytesIO(b"abc")).require_at_most(10, "Too large.")


def test_one_that_breaks_off_is_told_from_one_that_ends() -> None:
    with pytest.raises(ClientDisconnected):
        sizes(body(io.BytesIO(b"abc"), 4))
    with pytest.raises(ClientDisconnected):
        sizes(body(Broken(), 4))


def test_the_rest_of_a_refused_body_is_read() -> None:
    stream = io.BytesIO(b"x" * 200_000 + b"the next request")
    body(stream, 200_000).drain()
    assert stream.read() == b"the next request"


def test_the_rest_of_a_broken_body_is_let_go() -> None:
    refused = body(Broken(), 200_000)
    refused.drain()
    refused.drain()


@pytest.fixture
def line() -> Iterator[tuple[Any, Any]]:
    """Two ends of a connection: the server's and the client's."""
    ends = gevent.socket.socketpair()
    yield ends
    for end in ends:
        end.close()


def body_on(server: Any, *, length: int | None, held: bytes = b"") -> Body:
    """A request's body under gunicorn, of which some bytes came with the head."""
    unreader = SocketUnreader(server)
    unreader.unread(held)
    reader: Any = (
        ChunkedReader(None, unreader) if length is None else LengthReader(unreader, length)
    )
    environ = {
        "REQUEST_METHOD": "PATCH",
        "wsgi.input": GunicornBody(reader),
        "wsgi.input_terminated": True,
        "gunicorn.socket": server,
        **({} if length is None else {"CONTENT_LENGTH": str(length)}),
    }
    return Body(Request(environ))


def collect(body: Body, into: bytearray) -> None:
    """Receive it all, what came before an error included."""
    for piece in body.pieces():
        into += piece


# Amounts around those at which gunicorn's reader changes its ways, with line ends among the bytes.
AMOUNTS = [1, 2, 511, 512, 513, 1023, 1024, 1025, 1234, 65_535, 65_536, 100_001]


@pytest.mark.parametrize("amount", AMOUNTS)
def test_what_has_arrived_is_yielded_when_the_client_pauses(
    line: tuple[Any, Any], amount: int
) -> None:
    server, client = line
    content = (b"ab\n" * amount)[:amount]
    pieces = body_on(server, length=1 << 20, held=content[:1]).pieces()
    gevent.spawn(client.sendall, content[1:])
    arrived = b""
    while len(arrived) < amount:
        arrived += next(pieces)
    assert arrived == content


def test_pauses_anywhere_lose_nothing(
    line: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_module, "_PAUSE", 0.001)
    server, client = line
    content = bytes(range(256)) * 800
    amounts = [1, 700, 3, 1024, 5000, 511, 60_000, 2, 100_000]

    def send() -> None:
        at = 0
        for amount in [*amounts, len(content) - sum(amounts)]:
            client.sendall(content[at : at + amount])
            at += amount
            gevent.sleep(0.003)
        client.sendall(b"GET")

    gevent.spawn(send)
    receiving = body_on(server, length=len(content))
    assert b"".join(receiving.pieces()) == content
    # What follows is the next request's, and the server's to read.
    assert server.recv(3) == b"GET"


@pytest.mark.parametrize(
    ("length", "sent"), [(100, b"cde"), (None, b"cde")], ids=["length", "chunks"]
)
def test_a_client_that_stalls_is_ended_with_its_bytes_kept(
    line: tuple[Any, Any],
    monkeypatch: pytest.MonkeyPatch,
    length: int | None,
    sent: bytes,
) -> None:
    monkeypatch.setattr(body_module, "_STALL_TIMEOUT", 0.3)
    server, client = line
    client.sendall(sent)
    arrived = bytearray()
    stalling = body_on(server, length=length, held=b"ab" if length else b"64\r\nab")
    with pytest.raises(RequestTimeout):
        collect(stalling, arrived)
    assert arrived == b"abcde"


@pytest.mark.parametrize("length", [100, None], ids=["length", "chunks"])
def test_a_client_that_leaves_in_the_middle_has_its_bytes_kept(
    line: tuple[Any, Any], length: int | None
) -> None:
    server, client = line
    client.sendall(b"abc" if length else b"64\r\nabc")
    client.close()
    arrived = bytearray()
    with pytest.raises(ClientDisconnected):
        collect(body_on(server, length=length), arrived)
    assert arrived == b"abc"


def test_a_malformed_chunk_ends_the_body(line: tuple[Any, Any]) -> None:
    server, client = line
    client.sendall(b"5\r\nabcdeXX")
    with pytest.raises(ClientDisconnected):
        sizes(body_on(server, length=None))


@pytest.mark.parametrize("length", [3, None])
def test_the_server_waits_for_the_next_request_as_long_as_it_likes(
    line: tuple[Any, Any], length: int | None
) -> None:
    server, _client = line
    receiving = body_on(server, length=length, held=b"abc" if length else b"3\r\nabc\r\n0\r\n\r\n")
    assert sizes(receiving) == [3]
    receiving.drain()
    assert server.gettimeout() is None


def test_a_refused_client_that_goes_on_sending_is_cut_off(
    line: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_module, "_DRAIN_TIMEOUT", 0.2)
    server, client = line
    client.sendall(b"x")
    body_on(server, length=1 << 30).drain()
    assert server.recv(1) == b""
