"""The owner's receipt: SHA-256 of what arrived, made on the way or afterwards."""

import hashlib
from pathlib import Path

import pytest

from common.stores import Stores
from db.engine import Database
from db.models import Video
from tests.conftest import Client
from tests.upload_service.conftest import Files, Rows
from tests.upload_service.forms import file_part, send, text_part
from tests.upload_service.tus_client import Tus, checksum, metadata
from upload_service.janitor import checksum_backfill
from upload_service.janitor.checksum_backfill import ChecksumBackfill
from upload_service.uploads.checksums import RunningChecksums, checksums


@pytest.fixture
def tus(alice: Client) -> Tus:
    return Tus(alice)


@pytest.fixture
def backfill(stores: Stores, storage: Files) -> ChecksumBackfill:
    return ChecksumBackfill(stores.database, storage)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_form_is_answered_with_its_receipt(alice: Client, rows: Rows, video_bytes: bytes) -> None:
    answer = send(alice, text_part("title", "Sea"), file_part(video_bytes)).json
    assert (answer["size"], answer["sha256"]) == (len(video_bytes), digest(video_bytes))
    assert rows.videos()[0].sha256 == digest(video_bytes)


@pytest.mark.parametrize("checked", [False, True])
def test_an_upload_in_pieces_is_answered_with_its_receipt(
    tus: Tus, rows: Rows, video_bytes: bytes, checked: bool
) -> None:
    where = tus.begin(len(video_bytes))
    for at in range(0, len(video_bytes), 300):
        piece = video_bytes[at : at + 300]
        if checked:
            damaged = checksum(b"other bytes")
            assert tus.patch(where, at, piece, Upload_Checksum=damaged).status_code == 460
            # A process that knows no more goes on all the same.
        headers = {"Upload_Checksum": checksum(piece)} if checked else {}
        answer = tus.patch(where, at, piece, **headers)
        assert answer.status_code == 204
    assert answer.headers["Upload-Receipt"] == f"sha256 {digest(video_bytes)}"
    assert rows.videos()[0].sha256 == digest(video_bytes)
    assert tus.head(where).headers["Upload-Receipt"] == f"sha256 {digest(video_bytes)}"


@pytest.mark.on_mysql
def test_where_another_process_took_part_the_receipt_comes_later(
    tus: Tus, rows: Rows, backfill: ChecksumBackfill, video_bytes: bytes
) -> None:
    where = tus.begin(len(video_bytes))
    tus.patch(where, 0, video_bytes[:500])
    checksums.take(where.rpartition("/")[2], 1, fence=0)  # as if other bytes had been received here
    answer = tus.patch(where, 500, video_bytes[500:])
    assert "Upload-Receipt" not in answer.headers
    assert rows.videos()[0].sha256 is None
    before = rows.videos()[0].updated_at
    assert backfill.work() == 1
    assert (rows.videos()[0].sha256, rows.videos()[0].updated_at) == (digest(video_bytes), before)
    assert tus.head(where).headers["Upload-Receipt"] == f"sha256 {digest(video_bytes)}"


def test_what_is_put_together_gets_its_receipt_later(
    tus: Tus, rows: Rows, backfill: ChecksumBackfill, video_bytes: bytes
) -> None:
    parts = []
    for piece in (video_bytes[:500], video_bytes[500:]):
        where = tus.begin(len(piece), Upload_Concat="partial")
        tus.patch(where, 0, piece)
        parts.append(where)
    joined = f"final;{' '.join(parts)}"
    tus.create(Upload_Concat=joined, Upload_Metadata=metadata(title="Sea"))
    backfill.work()
    assert rows.videos()[0].sha256 == digest(video_bytes)


def test_a_long_file_is_read_in_slices(
    alice: Client,
    rows: Rows,
    database: Database,
    backfill: ChecksumBackfill,
    video_bytes: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forget_checksums(alice, database, video_bytes, count=1)
    monkeypatch.setattr(checksum_backfill, "_SLICE", 1e-9)
    monkeypatch.setattr(checksum_backfill, "_PIECE", len(video_bytes) // 3)
    passes = 0
    while rows.videos()[0].sha256 is None:
        backfill.work()
        passes += 1
        assert passes < 1000
    assert passes > 1
    assert rows.videos()[0].sha256 == digest(video_bytes)


@pytest.mark.on_mysql
def test_a_file_that_is_gone_does_not_hold_up_the_others(
    alice: Client,
    rows: Rows,
    database: Database,
    videos_dir: Path,
    backfill: ChecksumBackfill,
    video_bytes: bytes,
) -> None:
    forget_checksums(alice, database, video_bytes, count=3)
    first = min(video.id for video in rows.videos())
    (videos_dir / first / "original.mp4").unlink()
    assert backfill.work() == 2
    assert backfill.work() == 0
    assert [video.id for video in rows.videos() if video.sha256 is None] == [first]


def forget_checksums(alice: Client, database: Database, video_bytes: bytes, *, count: int) -> None:
    """Take in videos of which nobody knows the receipt."""
    for _ in range(count):
        send(alice, file_part(video_bytes))
    database.write(lambda session: session.query(Video).update({"sha256": None}))


def test_the_oldest_are_forgotten() -> None:
    kept = RunningChecksums()
    for number in range(1200):
        kept.keep(f"upload{number}", 5, hashlib.sha256(b"abcde"), fence=0)
    assert kept.pop("upload0", 5, fence=0) is None
    assert kept.pop("upload1199", 4, fence=0) is None
    assert kept.pop("upload1198", 5, fence=0) == digest(b"abcde")
