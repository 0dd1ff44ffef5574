"""The body of a request: where it ends, and what happens when it does not."""

import io
from typing import Any

import pytest
from flask import Request

from upload_service.body import (
    Body,
    BodyTooLarge,
    ClientLeft,
    LengthUnknown,
)
from upload_service.pipeline import SIZE


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


def sizes(body: Body, *, limit: int) -> list[int]:
    """Receive it all, and return the sizes of the pieces."""
    found = []
    for piece in body.pieces(limit=limit):
        found.append(len(piece.content))
        piece.release()
    return found


def test_it_ends_where_its_length_says() -> None:
    stream = io.BytesIO(b"x" * (SIZE + 5) + b"the next request")
    assert sizes(body(stream, SIZE + 5), limit=2 * SIZE) == [SIZE, 5]
    assert stream.read() == b"the next request"


def test_in_chunks_it_ends_where_the_server_says() -> None:
    chunked = {"wsgi.input_terminated": True}
    assert sizes(body(io.BytesIO(b"abc"), **chunked), limit=3) == [3]
    with pytest.raises(BodyTooLarge):
        sizes(body(io.BytesIO(b"abcd"), **chunked), limit=3)


def test_without_any_end_it_is_refused() -> None:
    with pytest.raises(LengthUnknown):
        body(io.BytesIO(b"abc")).require_at_most(10, "Too large.")


def test_one_that_breaks_off_is_told_from_one_that_ends() -> None:
    with pytest.raises(ClientLeft):
        sizes(body(io.BytesIO(b"abc"), 4), limit=10)
    with pytest.raises(ClientLeft):
        sizes(body(Broken(ConnectionResetError()), 4), limit=10)


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
