"""`matinee admin storage status|move|verify|clean`, on a real store."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from cli.__main__ import main
from common.ids import new_id
from common.storage import objects
from tests.object_stores import ObjectStore
from tests.upload_service.moving import MovingSite

FILES = {"original.mp4": b"the original", "poster.jpg": b"a poster"}


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    told: dict[str, Any]
    progress: str


Run = Callable[..., Done]


@pytest.fixture
def storage_command(
    moving: MovingSite,
    object_store: ObjectStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs a command on the site, whose STORE is the disk unless it says otherwise."""
    database = moving.database.engine.url
    redis = moving.stores.redis.connection_pool.connection_kwargs
    environ = {
        **object_store.environ,
        "S3_PREFIX": moving.settings.prefix,
        "DATABASE_URL": database.render_as_string(hide_password=False),
        "REDIS_URL": f"redis://{redis['host']}:{redis['port']}/{redis['db']}",
        "VIDEOS_DIR": str(moving.disk.root),
    }

    def run(*arguments: str, in_words: bool = False, **changed: str) -> Done:
        with monkeypatch.context() as patch:
            for name, value in {**environ, **changed}.items():
                patch.setenv(name, value)
            code = 0
            capsys.readouterr()  # what the mover has logged
            try:
                main(["admin", "storage", *arguments, *([] if in_words else ["--json"])])
            except SystemExit as end:
                code = int(end.code or 0)
        printed = capsys.readouterr()
        told = {"words": printed.out} if in_words else json.loads(printed.out)
        return Done(code, told, printed.err)

    return run


def test_status_counts_what_is_where(moving: MovingSite, storage_command: Run) -> None:
    moved = moving.add_video(FILES)
    moving.duty().work()
    moving.add_video(FILES)
    objects.begin(moving.database, video_id=moved, name="hls/720p.mp4")
    moving.database.write(
        lambda session: objects.retire(session, video_id=moved, names=["poster.jpg"])
    )
    found = storage_command("status")
    assert found.code == 0
    assert found.told == {
        "default": "disk",
        "disk": {"files": 3, "bytes": 28},
        "leftovers": {"files": 1, "bytes": 12},
        "current": {"files": 1, "bytes": 12},
        "retired": {"files": 1, "bytes": 8},
        "writing": {"files": 1, "bytes": 0},
        "waiting": {"files": 0, "bytes": 0},
    }
    words = storage_command("status", in_words=True).told["words"]
    assert "on the disk alone: 3 files, 28 bytes" in words
    assert storage_command("status", STORE="s3").told["waiting"] == {"files": 3, "bytes": 28}


def test_one_video_is_moved_there_and_back(moving: MovingSite, storage_command: Run) -> None:
    one, other = moving.add_video(FILES), moving.add_video(FILES)
    there = storage_command("move", "--to", "s3", "--video", one)
    assert (there.code, there.told) == (0, {"files": 2, "bytes": 20, "failed": {}})
    assert "2 of 2 files" in there.progress
    assert moving.current(one).keys() == FILES.keys()
    assert moving.current(other) == {}
    back = storage_command("move", "--to", "disk", "--video", one)
    assert (back.code, back.told["files"]) == (0, 2)
    assert moving.current(one) == {}
    assert {name: moving.read(one, name) for name in FILES} == FILES


def test_all_are_moved_there_and_back(moving: MovingSite, storage_command: Run) -> None:
    videos = [moving.add_video(FILES) for _ in range(3)]
    assert storage_command("move", "--to", "s3").told["files"] == 6
    assert storage_command("move", "--to", "s3").told["files"] == 0
    assert storage_command("move", "--to", "disk").told["files"] == 6
    for video_id in videos:
        assert {name: moving.read(video_id, name) for name in FILES} == FILES


def test_what_cannot_be_moved_is_told(moving: MovingSite, storage_command: Run) -> None:
    damaged = moving.add_video(FILES, sha256="0" * 64)
    found = storage_command("move", "--to", "s3")
    assert (found.code, found.told["files"]) == (1, 1)
    assert list(found.told["failed"]) == [f"{damaged}/original.mp4"]


@pytest.mark.parametrize(
    ("arguments", "changed", "code", "sentence"),
    [
        (["--to", "disk"], {"STORE": "s3"}, 1, "Set STORE=disk first"),
        (["--to", "s3", "--video", "nobody"], {}, 1, "There is no video nobody"),
        (["--to", "s3"], {"S3_BUCKET": ""}, 3, "S3_BUCKET is not set"),
        (["--to", "s3"], {"S3_ENDPOINT": "http://127.0.0.1:9"}, 4, "does not answer"),
    ],
)
def test_a_move_that_cannot_be_is_refused(
    moving: MovingSite,
    storage_command: Run,
    arguments: list[str],
    changed: dict[str, str],
    code: int,
    sentence: str,
) -> None:
    moving.add_video(FILES)
    found = storage_command("move", *arguments, **changed)
    assert found.code == code
    assert sentence in found.told["error"]


def test_a_full_disk_is_named(
    moving: MovingSite, storage_command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving.add_video(FILES)
    moving.duty().work()
    monkeypatch.setattr(type(moving.disk), "free_bytes", lambda _self: 64 << 20)
    found = storage_command("move", "--to", "disk")
    assert found.code == 1
    assert "The disk is full" in found.told["error"]


def test_verify_finds_what_is_missing_or_wrong(moving: MovingSite, storage_command: Run) -> None:
    well, lost, cut, changed, nowhere = (moving.add_video(FILES) for _ in range(5))
    moving.duty().work()
    moving.duty().work()
    assert storage_command("verify").told == {"checked": 10, "wrong": {}}
    moving.store.delete(moving.current(lost)["original.mp4"].key)
    moving.store.put(moving.current(cut)["poster.jpg"].key, b"a post")
    moving.store.put(moving.current(changed)["poster.jpg"].key, b"A POSTER")
    moving.database.write(
        lambda session: objects.retire(session, video_id=nowhere, names=["original.mp4"])
    )
    found = storage_command("verify")
    assert found.code == 1
    assert found.told["wrong"].keys() == {
        f"{lost}/original.mp4",
        f"{cut}/poster.jpg",
        f"{nowhere}/original.mp4",
    }
    full = storage_command("verify", "--full")
    assert full.told["wrong"].keys() == {*found.told["wrong"], f"{changed}/poster.jpg"}
    assert storage_command("verify", "--full", "--video", well).told == {"checked": 2, "wrong": {}}


def test_clean_tells_three_kinds_of_strays_apart(moving: MovingSite, storage_command: Run) -> None:
    moved, on_disk, gone = moving.add_video(FILES), moving.add_video(FILES), new_id()
    moving.mover.to_store(moving.disk.list_files(moved)[0], advance=moving.pace.begin())
    moving.duty().work()
    to_disk = moving.current(on_disk)
    for name, found in to_disk.items():
        moving.mover.to_disk(on_disk, name, found, advance=moving.pace.begin())
    moving.cleaner().clean()
    lost = moving.add_video(FILES)
    moving.disk.drop_file(lost, "original.mp4")
    known = set(moving.store.list_keys(""))
    kinds = {
        objects.new_key(moved, "original.mp4"): "stray",
        objects.new_key(on_disk, "original.mp4"): "stray",
        objects.new_key(gone, "poster.jpg"): "stray",
        objects.new_key(moved, "hls/720p.mp4"): "rebuildable",
        objects.new_key(gone, "original.mp4"): "unknown",
        objects.new_key(lost, "original.mp4"): "unknown",
        f"{moved}/original.mp4": "unknown",
        "somebody/elses.txt": "unknown",
    }
    for key in kinds:
        moving.store.put(key, b"?")
    listed = storage_command("clean")
    assert {key: kind for kind in set(kinds.values()) for key in listed.told[kind]} == kinds
    assert listed.told["removed"] == 0
    assert set(moving.store.list_keys("")) == known | set(kinds)
    assert storage_command("clean", "--remove").told["removed"] == 4
    left = {key for key, kind in kinds.items() if kind == "unknown"}
    assert set(moving.store.list_keys("")) == known | left
    assert storage_command("verify").told["wrong"].keys() == {f"{lost}/original.mp4"}


def test_a_store_that_refuses_is_named(moving: MovingSite, storage_command: Run) -> None:
    moving.add_video(FILES)
    moving.duty().work()
    for command in ("clean", "verify"):
        found = storage_command(command, S3_SECRET_KEY="another")
        assert found.code == 1
        assert "The object store refuses" in found.told["error"]
