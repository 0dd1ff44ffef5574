"""The body of a request: where it ends, and what happens when it does not."""

import io
from typing import Any

import pytest
from flask import Request

from upload_service.body import (
    PIECE,
    Body,
    BodyTooLarge,
    ClientLeft,
    ClientStalled,
    LengthUnknown,
)


class Socket:
    """Notes how patient the reader is."""

    patience: float | None = None

    def settimeout(self, seconds: float) -> None:
        self.patience = seconds


class Broken(io.BytesIO):
    """A connection that fails."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self._error = error

    def read(self, *_: Any) -> bytes:
        raise self._error


def body(stream: io.BytesIO, length: int | None = None, **environ: Any) -> Body:
    values = {"wsgi.input": stream, "REQUEST_METHOD": "POST", **environ}
    if length is not None:
        values["CONTENT_LENGTH"] = str(length)
    return Body(Request(values))


def test_it_ends_where_its_length_says() -> None:
    stream = io.BytesIO(b"x" * (PIECE + 5) + b"the next request")
    pieces = list(body(stream, PIECE + 5).pieces(limit=2 * PIECE))
    assert [len(piece) for piece in pieces] == [PIECE, 5]
    assert stream.read() == b"the next request"


def test_in_chunks_it_ends_where_the_server_says() -> None:
    chunked = {"wsgi.input_terminated": True}
    assert list(body(io.BytesIO(b"abc"), **chunked).pieces(limit=3)) == [b"abc"]
    with pytest.raises(BodyTooLarge):
        list(body(io.BytesIO(b"abcd"), **chunked).pieces(limit=3))


def test_without_any_end_it_is_refused() -> None:
    with pytest.raises(LengthUnknown):
        body(io.BytesIO(b"abc")).require_at_most(10, "Too large.")


def test_one_that_breaks_off_is_told_from_one_that_ends() -> None:
    with pytest.raises(ClientLeft):
        list(body(io.BytesIO(b"abc"), 4).pieces(limit=10))
    with pytest.raises(ClientLeft):
        list(body(Broken(ConnectionResetError()), 4).pieces(limit=10))


def test_a_client_that_stands_still_is_not_waited_for_for_ever() -> None:
    socket = Socket()
    stalled = body(Broken(TimeoutError()), 4, **{"gunicorn.socket": socket})
    with pytest.raises(ClientStalled):
        list(stalled.pieces(limit=10))
    assert socket.patience == 60


def test_the_rest_of_a_refused_body_is_taken_from_the_connection() -> None:
    stream = io.BytesIO(b"x" * 200_000 + b"the next request")
    refused = body(stream, 200_000)
    refused.discard()
    assert stream.read() == b"the next request"


def test_the_rest_of_a_broken_body_is_let_go() -> None:
    stream = Broken(ConnectionResetError())
    refused = body(stream, 200_000)
    refused.discard()
    refused.discard()
