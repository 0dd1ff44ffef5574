"""Bytes as they come: nothing that was received is lost, however it is cut."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Request
from gunicorn.http.body import Body as GunicornBody
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.unreader import SocketUnreader

from upload_service import body as body_module
from upload_service.body import Body, ClientLeft, ClientStalled


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection: the server's and the client's."""
    ends = socket.socketpair()
    yield ends
    for end in ends:
        end.close()


def body_on(server: socket.socket, *, length: int | None, held: bytes = b"") -> Body:
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
    for piece in body.pieces():
        into += piece.content
        piece.release()


def test_a_client_that_stalls_is_ended_with_its_bytes_kept(
    line: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_module, "_PATIENCE", 0.7)
    server, client = line
    arrived = bytearray()
    client.sendall(b"cde")
    with pytest.raises(ClientStalled):
        collect(body_on(server, length=100, held=b"ab"), arrived)
    assert arrived == b"abcde"


def test_a_client_that_stalls_in_chunked_coding_is_ended(
    line: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_module, "_PATIENCE", 0.1)
    server, client = line
    client.sendall(b"cde")
    with pytest.raises(ClientStalled):
        collect(body_on(server, length=None, held=b"64\r\nab"), bytearray())


def test_a_client_that_leaves_within_a_chunk_has_left(
    line: tuple[socket.socket, socket.socket],
) -> None:
    server, client = line
    client.sendall(b"64\r\nabc")
    client.close()
    with pytest.raises(ClientLeft):
        collect(body_on(server, length=None), bytearray())


def test_what_follows_the_body_stays_for_the_next_request(
    line: tuple[socket.socket, socket.socket],
) -> None:
    server, client = line
    body = body_on(server, length=3, held=b"abcGET")
    arrived = bytearray()
    collect(body, arrived)
    assert arrived == b"abc"
    assert body._stream.reader.unreader.take_buffered() == b"GET"  # type: ignore[attr-defined]
    client.close()


@pytest.mark.parametrize("length", [3, None])
def test_gunicorn_waits_for_the_next_request_as_long_as_it_likes(
    line: tuple[socket.socket, socket.socket], length: int | None
) -> None:
    server, _client = line
    body = body_on(server, length=length, held=b"abc" if length else b"3\r\nabc\r\n0\r\n\r\n")
    collect(body, bytearray())
    body.discard()
    assert server.gettimeout() is None
