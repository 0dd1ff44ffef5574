"""The writer of a file: the same bytes and hash however they are cut, and errors that reach it."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from common.storage import StorageFull, file_io
from tests.upload_service.conftest import Files
from upload_service.receive.append_pieces import append_pieces
from upload_service.receive.writer import FileWriter
from upload_service.upload_bytes.disk import DiskBytes

_ID = "A" * 22


@pytest.fixture
def storage(tmp_path: Path) -> Files:
    """A volume of its own."""
    storage = Files(tmp_path)
    storage.prepare()
    return storage


@pytest.mark.parametrize("start", [0, 5000])
@pytest.mark.parametrize("size", [1, 70_000, 1 << 20])
def test_bytes_and_hash_are_right_however_they_are_cut(
    storage: Files, start: int, size: int
) -> None:
    before, content = os.urandom(start), os.urandom(12 * size + 77 if size > 1 else 300)
    hashed = hashlib.sha256(before)
    storage.create_incoming(_ID)
    with storage.open_for_appending(_ID) as file:
        file_io.append(file, before)
        writer = FileWriter(file, [hashed])
        for at in range(0, len(content), size):
            writer.append(content[at : at + size])
        writer.flush()
        assert writer.end == file_io.file_size(file) == start + len(content)
    with storage.open_incoming(_ID) as file:
        assert file.read() == before + content
    assert hashed.digest() == hashlib.sha256(before + content).digest()


def test_after_a_write_that_failed_nothing_more_is_written(
    storage: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pieces after it would be in the wrong place."""
    append = file_io.append

    def fail_once(file: Any, piece: bytes) -> None:
        if piece == b"second":
            append(file, piece[:3])
            raise StorageFull
        append(file, piece)

    monkeypatch.setattr(file_io, "append", fail_once)
    storage.create_incoming(_ID)
    with storage.open_for_appending(_ID) as file:
        with pytest.raises(StorageFull):
            append_pieces(
                DiskBytes(file, lambda: None),
                [b"first", b"second", b"third"],
                max_bytes=100,
                sha256=None,
            )
        assert file_io.file_size(file) == len(b"first")


def test_pieces_before_an_error_of_their_source_are_kept(storage: Files) -> None:
    def pieces() -> Any:
        yield b"first"
        yield b"second"
        raise TimeoutError

    hashed = hashlib.sha256()
    storage.create_incoming(_ID)
    with storage.open_for_appending(_ID) as file:
        with pytest.raises(TimeoutError):
            append_pieces(DiskBytes(file, lambda: None), pieces(), max_bytes=100, sha256=hashed)
        assert file_io.file_size(file) == len(b"firstsecond")
    assert hashed.digest() == hashlib.sha256(b"firstsecond").digest()
