"""The one package that touches the disk stays under its root, and a published file is whole."""

import os
import stat
import threading
from pathlib import Path

import pytest

from common.ids import is_id, new_id
from common.storage import AttemptStore, IncomingStore, StorageError, VideoStore

STRANGE = ["", ".", "..", "../x", "/etc/passwd", "a/b", "A" * 21, "A" * 23, "-" + "A" * 21]
STRANGE += ["A" * 21 + "\n", "A" * 22 + "\n", "A" * 21 + "\0", "é" * 22, "incoming", "A" * 21 + "."]


class Stores(IncomingStore, VideoStore, AttemptStore):
    """All stores of a volume at once."""


@pytest.fixture
def storage(tmp_path: Path) -> Stores:
    """An empty volume, ready."""
    root = tmp_path / "volume"
    root.mkdir()
    storage = Stores(root)
    storage.prepare()
    return storage


def upload(storage: Stores, data: bytes = b"film") -> str:
    """Bring bytes in, and return their id."""
    upload_id = new_id()
    storage.create_incoming(upload_id)
    with storage.open_for_appending(upload_id) as file:
        file.write(data)
    return upload_id


def test_new_ids_are_ids_and_no_options() -> None:
    ids = {new_id() for _ in range(2000)}

    assert len(ids) == 2000
    assert all(is_id(i) and not i.startswith("-") for i in ids)


@pytest.mark.parametrize("strange", STRANGE)
def test_what_is_no_id_touches_nothing(storage: Stores, strange: str) -> None:
    for call in (
        storage.publish,
        storage.drop_incoming,
        storage.drop_video,
        storage.original,
        storage.has_original,
        storage.create_incoming,
        lambda i: storage.open_incoming(i).__enter__(),
    ):
        with pytest.raises(ValueError, match="not an id"):
            call(strange)
    assert [entry.name for entry in storage.root.iterdir()] == ["incoming"]


def test_bytes_come_in_and_are_published(storage: Stores) -> None:
    upload_id = upload(storage)
    with storage.open_incoming(upload_id) as file:
        assert file.read() == b"film"
    assert not storage.has_original(upload_id)

    storage.publish(upload_id)

    original = storage.original(upload_id)
    assert original == storage.root / upload_id / "original.mp4"
    assert original.read_bytes() == b"film"
    assert storage.has_original(upload_id)
    assert storage.sizes() == {}
    assert [video_id for video_id, _ in storage.list_videos()] == [upload_id]


def test_the_gateway_can_read_what_is_published_and_not_what_comes_in(
    storage: Stores,
) -> None:
    upload_id = upload(storage)
    storage.publish(upload_id)
    path = storage.original(upload_id)

    def mode(place: Path) -> int:
        return stat.S_IMODE(place.stat().st_mode)

    assert mode(path) == 0o644
    assert mode(path.parent) & 0o005 == 0o005
    assert mode(storage.root / "incoming") == 0o700


def test_publishing_again_after_a_crash(storage: Stores) -> None:
    """The folder is there already: a first try came so far."""
    upload_id = upload(storage)
    (storage.root / upload_id).mkdir()

    storage.publish(upload_id)

    assert storage.has_original(upload_id)
    with pytest.raises(FileNotFoundError):
        storage.publish(upload_id)
    assert storage.has_original(upload_id)


def test_two_uploads_never_share_a_file(storage: Stores) -> None:
    upload_id = upload(storage)
    with pytest.raises(FileExistsError):
        storage.create_incoming(upload_id)
    with storage.open_incoming(upload_id) as file:
        assert file.read() == b"film"


def test_dropping_is_final_and_may_be_repeated(storage: Stores) -> None:
    kept, dropped, unfinished = upload(storage), upload(storage), upload(storage)
    for upload_id in (kept, dropped):
        storage.publish(upload_id)
    (storage.root / dropped / "hls").mkdir()
    (storage.root / dropped / "hls" / "master.m3u8").touch()

    for _ in range(2):
        storage.drop_video(dropped)
        storage.drop_incoming(unfinished)

    assert [video_id for video_id, _ in storage.list_videos()] == [kept]
    assert storage.sizes() == {}
    assert not storage.original(dropped).exists()


def test_lists_tell_of_nothing_that_is_not_ours(storage: Stores) -> None:
    (storage.root / "lost+found").mkdir()
    (storage.root / ("B" * 22)).touch()
    (storage.root / ("C" * 22)).symlink_to(storage.root)
    (storage.root / "incoming" / ".hidden").touch()

    assert list(storage.list_videos()) == []
    assert storage.sizes() == {}


def test_a_volume_that_is_missing_says_so(tmp_path: Path) -> None:
    storage = Stores(tmp_path / "nowhere")

    for writable in (True, False):
        with pytest.raises(StorageError, match="not there"):
            storage.check(writable=writable)
    with pytest.raises(StorageError, match="cannot be written"):
        storage.prepare()


def test_a_volume_that_is_read_only_says_so(
    storage: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not by its mode: to root, as which tests may run, that would be no obstacle.
    monkeypatch.setattr(os, "access", lambda _path, mode: not mode & os.W_OK)
    with pytest.raises(StorageError, match="cannot be written"):
        storage.check(writable=True)


def test_a_file_in_place_of_the_volume_says_so(tmp_path: Path) -> None:
    place = tmp_path / "volume"
    place.touch()

    with pytest.raises(StorageError):
        Stores(place).prepare()


def test_free_bytes_are_a_number(storage: Stores) -> None:
    assert storage.free_bytes() > 0


def attempt(storage: Stores, *, job: int = 7, fence: int = 1) -> tuple[str, Path]:
    """Begin an attempt at a step of a new video."""
    video_id = upload(storage)
    storage.publish(video_id)
    return video_id, storage.attempt_folder(video_id, job, fence)


def test_an_attempt_has_a_folder_that_nobody_else_reads(storage: Stores) -> None:
    video_id, folder = attempt(storage)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder.parent == storage.root / video_id
    assert list(storage.list_attempts()) == [(video_id, 7, 1)]


def test_a_later_attempt_removes_earlier_ones_of_its_job_alone(storage: Stores) -> None:
    video_id, first = attempt(storage)
    other = storage.attempt_folder(video_id, 8, 1)
    (first / "half.mp4").write_bytes(b"half")

    storage.attempt_folder(video_id, 7, 2)

    assert not first.exists()
    assert other.exists()


def test_an_attempt_at_a_video_without_files_here_leaves_nothing(storage: Stores) -> None:
    """All of them are in the object store, or the video is gone."""
    video_id = new_id()

    assert storage.attempt_folder(video_id, 1, 1).is_dir()
    storage.drop_attempts(video_id, 1, below=2)

    assert not (storage.root / video_id).exists()


def test_a_published_file_is_in_its_place_and_publishing_again_is_fine(
    storage: Stores,
) -> None:
    video_id, folder = attempt(storage)
    (folder / "720p.mp4").write_bytes(b"rendition")

    for _ in range(2):
        storage.publish_file(folder / "720p.mp4", video_id, "hls/720p.mp4")

    place = storage.root / video_id / "hls" / "720p.mp4"
    assert place.read_bytes() == b"rendition"
    assert stat.S_IMODE(place.stat().st_mode) == 0o644
    with pytest.raises(FileNotFoundError):
        storage.publish_file(folder / "480p.mp4", video_id, "hls/480p.mp4")


def test_a_published_text_replaces_the_one_before(storage: Stores) -> None:
    video_id, _ = attempt(storage)

    for text in ("one", "two"):
        storage.publish_text(text, video_id, "hls/master.m3u8")

    assert storage.read_published(video_id, "hls/master.m3u8") == b"two"
    assert [path.name for path in (storage.root / video_id / "hls").iterdir()] == ["master.m3u8"]


@pytest.mark.parametrize(
    "name",
    ["", "../x.mp4", "hls/../x.mp4", "hls/a/b.mp4", "/x.mp4", ".x.mp4", "x", "A.mp4", "a.b.c"],
)
def test_nothing_is_published_under_a_strange_name(storage: Stores, name: str) -> None:
    video_id, folder = attempt(storage)
    (folder / "a.mp4").write_bytes(b"a")

    with pytest.raises(ValueError):
        storage.publish_file(folder / "a.mp4", video_id, name)


def test_a_video_can_be_removed_while_somebody_writes_into_its_folder(
    storage: Stores,
) -> None:
    video_id, folder = attempt(storage)
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            try:
                (folder / f"{number}.mp4").write_bytes(b"more")
            except FileNotFoundError:
                return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        storage.drop_video(video_id)
        writer.join(10)
        assert not writer.is_alive()
    finally:
        done.set()
        writer.join()
    assert not (storage.root / video_id).exists()
