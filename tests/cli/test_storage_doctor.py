"""`matinee admin storage doctor`, on real stores: one that is well, and some that are not."""

import json
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cli.__main__ import main
from cli.admin.storage_doctor import StorageDoctor
from common.storage.errors import StoreRefused, StoreUnavailable
from common.storage.s3 import S3Store, StoreAnswer, UnfinishedUpload
from tests.conftest import free_ports
from tests.object_stores import ObjectStore, rclone, seaweedfs


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """A store that is well."""
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as running:
        yield running


@pytest.fixture
def examine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> "type[Examination]":
    """Run the command with some settings."""
    Examination.monkeypatch, Examination.capsys = monkeypatch, capsys
    return Examination


class Examination:
    """One run of the command: its exit code, and what it printed as JSON."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __init__(self, environ: Mapping[str, str]) -> None:
        for name, value in environ.items():
            self.monkeypatch.setenv(name, value)
        self.code = 0
        try:
            main(["admin", "storage", "doctor", "--json"])
        except SystemExit as end:
            self.code = int(end.code or 0)
        self.told = json.loads(self.capsys.readouterr().out)

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong, by check."""
        return {name: said for name, said in self.told["checks"].items() if said != "ok"}


def test_a_store_that_is_well_passes_and_keeps_nothing(
    store: ObjectStore, examine: type[Examination]
) -> None:
    found = examine(store.environ)
    assert (found.code, found.problems, len(found.told["checks"])) == (0, {}, 13)
    bucket = S3Store(store.settings)
    assert list(bucket.list_keys("")) == []
    assert list(bucket.list_multiparts("")) == []


def test_a_store_that_answers_ranges_with_everything_is_named(
    tmp_path: Path, examine: type[Examination]
) -> None:
    with rclone(tmp_path) as store:
        found = examine(store.environ)
        assert found.code == 1
        assert "answers 200 to a range" in found.problems["range"]
        assert list(S3Store(store.settings).list_keys("")) == []


@pytest.mark.parametrize(
    ("changed", "advice"),
    [
        ({"S3_SECRET_KEY": "another"}, "S3_SECRET_KEY is not that of S3_ACCESS_KEY"),
        ({"S3_ACCESS_KEY": "nobody"}, "S3_ACCESS_KEY is not known"),
        ({"S3_BUCKET": "elsewhere"}, "no bucket called as S3_BUCKET says"),
    ],
)
def test_a_wrong_setting_is_named_that_the_store_refuses(
    store: ObjectStore, examine: type[Examination], changed: dict[str, str], advice: str
) -> None:
    found = examine(store.environ | changed)
    assert found.code == 1
    assert list(found.problems) == ["put"]
    assert advice in found.problems["put"]


@pytest.mark.parametrize(
    ("changed", "code", "sentence"),
    [
        ({"S3_ENDPOINT": f"http://127.0.0.1:{free_ports(1)[0]}"}, 4, "store does not answer"),
        ({"S3_ENDPOINT": "s3.example.org"}, 3, "S3_ENDPOINT is"),
        ({"S3_ENDPOINT": "http://["}, 3, "S3_ENDPOINT is"),
        ({"S3_REGION": "eu central"}, 3, "S3_REGION is"),
        ({"S3_BUCKET": "my films"}, 3, "S3_BUCKET is"),
        ({"S3_PREFIX": "../x"}, 3, "S3_PREFIX is"),
        ({"S3_ADDRESSING": "host"}, 3, "S3_ADDRESSING is"),
        ({"S3_SSE": "rot13"}, 3, "S3_SSE is"),
        ({"S3_SECRET_KEY_FILE": "/missing"}, 3, "S3_SECRET_KEY_FILE cannot be read"),
    ],
)
def test_a_setting_that_cannot_be_right_is_named(
    store: ObjectStore,
    examine: type[Examination],
    changed: dict[str, str],
    code: int,
    sentence: str,
) -> None:
    found = examine(store.environ | changed)
    assert found.code == code
    assert sentence in found.told["error"]


def test_without_boto3_it_says_how_to_get_it(
    examine: type[Examination], monkeypatch: pytest.MonkeyPatch
) -> None:
    for loaded in ("common.storage.s3", "cli.admin.storage_doctor"):
        monkeypatch.delitem(sys.modules, loaded, raising=False)
    monkeypatch.setitem(sys.modules, "boto3", None)
    found = examine({"S3_BUCKET": "films", "S3_ACCESS_KEY": "k", "S3_SECRET_KEY": "s"})
    assert found.code == 1
    assert "requirements/s3.txt" in found.told["error"]


def test_nothing_is_left_of_an_examination_that_was_interrupted(store: ObjectStore) -> None:
    bucket = S3Store(store.settings)
    outcomes = StorageDoctor(bucket).examine()
    while next(outcomes).name != "copy":
        pass
    assert len(list(bucket.list_keys(""))) == 3
    outcomes.close()
    assert list(bucket.list_keys("")) == []


class MayNotList(S3Store):
    """A store whose key may not list."""

    def list_keys(self, _prefix: str) -> Iterator[str]:
        """Refuse."""
        raise StoreRefused("AccessDenied", "")

    def list_multiparts(self, _prefix: str) -> Iterator[UnfinishedUpload]:
        """Refuse."""
        raise StoreRefused("AccessDenied", "")


def test_nothing_is_left_if_the_key_may_not_list(store: ObjectStore) -> None:
    checks = StorageDoctor(MayNotList(store.settings)).examine()
    problems = {check.name: check.problem for check in checks if check.problem}
    assert list(problems) == ["list", "abort an unfinished upload"]
    assert "needs the rights to read, write, list" in str(problems["list"])
    bucket = S3Store(store.settings)
    assert list(bucket.list_keys("")) == []
    assert list(bucket.list_multiparts("")) == []


@pytest.mark.parametrize(
    ("status", "error"), [(501, StoreRefused), (503, StoreUnavailable), (403, StoreRefused)]
)
def test_only_what_may_pass_is_called_unavailable(
    store: ObjectStore, status: int, error: type[Exception]
) -> None:
    with answering(status) as endpoint, pytest.raises(error):
        S3Store(replace(store.settings, endpoint=endpoint)).put("key", b"", overwrite=False)


@contextmanager
def answering(status: int) -> Iterator[str]:
    """A server that answers every request with one status."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class LyingStore(S3Store):
    """A store with several faults."""

    def head(self, key: str) -> StoreAnswer:
        """Say that it is long ago, and that everything is there."""
        return StoreAnswer(200, {"date": "Thu, 01 Jan 2026 00:00:00 GMT"})

    def put(self, key: str, content: bytes, *, overwrite: bool = True) -> None:
        """Ignore the condition, and keep a frame around the bytes."""
        super().put(key, content + b"\r\n0\r\n")


def test_damaged_bytes_ignored_conditions_and_clocks_are_named(store: ObjectStore) -> None:
    checks = StorageDoctor(LyingStore(store.settings)).examine()
    problems = {check.name: check.problem for check in checks if check.problem}
    assert "not those that were written: 4101 bytes" in problems["get"]
    assert "ignores If-None-Match" in problems["put if there is none"]
    assert "clocks of this machine and the store" in problems["clock"]
    assert "deleted is still there" in problems["delete"]


def test_a_busy_store_is_away(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(_self: S3Store, _key: str) -> None:
        raise StoreUnavailable("SlowDown: reduce your request rate")

    monkeypatch.setattr(S3Store, "head", busy)
    with pytest.raises(StoreUnavailable):
        list(StorageDoctor(S3Store(store.settings)).examine())
    assert list(S3Store(store.settings).list_keys("")) == []
