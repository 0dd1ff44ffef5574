"""The way into a file: past the system's cache where pieces allow it, with the same bytes."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.storage import MediaStorage
from upload_service.pipeline import PAGE, SIZE, Buffers, Piece, Pipeline, Sink

_ID = "A" * 22


def _pieces(content: bytes, *, at: int) -> Iterator[Piece]:
    """Fill buffers as a body does: the first ends with a page of the file."""
    buffers, sent = Buffers(16), 0
    while sent < len(content):
        buffer = buffers.take(lambda: None)
        part = content[sent : sent + SIZE - (at + sent) % PAGE]
        buffer.memory[: len(part)] = part
        buffer.content = buffer.memory[: len(part)]
        sent += len(part)
        yield buffer


@pytest.mark.parametrize("start", [0, PAGE, 1, 5000])
@pytest.mark.parametrize("more", [SIZE - 1, 12 * SIZE, 12 * SIZE + 77])
def test_bytes_and_hash_are_right_wherever_the_pieces_begin_and_end(
    tmp_path: Path, start: int, more: int
) -> None:
    storage = MediaStorage(tmp_path)
    storage.prepare()
    before, content = os.urandom(start), os.urandom(more)
    hashed = hashlib.sha256(before)
    with storage.create_incoming(_ID) as file:
        storage.append(file, before)
        sink = Sink(file, [hashed])
        pipeline = Pipeline(sink)
        for piece in _pieces(content, at=start):
            pipeline.put(piece)
        pipeline.flush()
        assert sink.end == storage.size(file) == start + more
    with storage.open_incoming(_ID) as file:
        assert file.read() == before + content
    assert hashed.digest() == hashlib.sha256(before + content).digest()


def test_bytes_that_could_not_be_synced_before_later_ones_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_file: object) -> None:
        raise OSError(5, "Input/output error")

    storage = MediaStorage(tmp_path)
    storage.prepare()
    monkeypatch.setattr(MediaStorage, "sync", fail)
    with storage.create_incoming(_ID) as file:
        storage.append(file, b"1")
        sink = Sink(file)
        pieces = list(_pieces(os.urandom(12 * SIZE), at=1))
        with pytest.raises(OSError, match="error"):
            sink.write(pieces)
        assert sink.end == 1
