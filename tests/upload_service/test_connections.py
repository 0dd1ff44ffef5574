"""Uploads over real connections to a real gunicorn: clients that leave, servers that die."""

import hashlib
import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from common.settings import CommonSettings, Environment
from common.stores import Stores
from db.models import Upload, Video
from tests.media import box, mp4
from tests.upload_service.conftest import Files, files_in
from tests.upload_service.forms import file_part, form_body, text_part
from tests.upload_service.server import LIMIT, Server, chunked
from tests.waiting import wait_until
from upload_service.janitor.cleanup import Cleaner
from upload_service.settings import UploadSettings


@pytest.fixture(scope="module")
def video_bytes() -> bytes:
    """Some megabytes of video: more than the buffers of a connection hold."""
    return mp4() + box(b"free", bytes(6 << 20))


_names = iter(range(10_000))


@pytest.fixture
def token(server: Server) -> Iterator[str]:
    """A session of somebody new, and an empty house after the test."""
    yield server.sign_in(f"alice{os.getpid()}-{next(_names)}")
    for table in (Video, Upload):
        server.database.write(lambda session, table=table: session.query(table).delete())
    for folder in server.videos_dir.iterdir():
        shutil.rmtree(folder)


def uploads(server: Server) -> int:
    return server.database.read(lambda session: session.query(Upload).count())


def videos(server: Server) -> int:
    return server.database.read(lambda session: session.query(Video).count())


def is_arriving(server: Server) -> bool:
    folder = server.videos_dir / "incoming"
    return folder.is_dir() and any(file.stat().st_size for file in folder.iterdir())


def is_empty(server: Server) -> bool:
    return not files_in(server.videos_dir) and not uploads(server) and not videos(server)


def test_a_video_arrives_whole(server: Server, token: str, video_bytes: bytes) -> None:
    body = form_body(text_part("title", "Harbour"), file_part(video_bytes))
    with server.connect() as client:
        client.begin(token, length=len(body))
        client.send(body)
        answer = client.answer()
    assert answer.status == 201
    stored = server.videos_dir / json.loads(answer.body)["id"] / "original.mp4"
    assert hashlib.sha256(stored.read_bytes()).digest() == hashlib.sha256(video_bytes).digest()


def test_a_video_without_a_length_arrives_in_chunks(
    server: Server, token: str, video_bytes: bytes
) -> None:
    with server.connect() as client:
        client.begin(token, length=None)
        client.send(chunked(form_body(file_part(video_bytes))))
        assert client.answer().status == 201


def test_chunks_past_the_limit_are_refused(server: Server, token: str) -> None:
    with server.connect() as client:
        client.begin(token, length=None)
        client.send(chunked(form_body(file_part(mp4() + bytes(LIMIT)))))
        assert client.answer().status == 413
    wait_until(lambda: is_empty(server))


@pytest.mark.parametrize("size", [LIMIT + (1 << 20), 100 << 20])
def test_a_client_that_sends_everything_first_still_reads_why_it_was_refused(
    server: Server, token: str, size: int
) -> None:
    began = time.monotonic()
    with server.connect() as client:
        client.begin(token, length=size)
        piece = bytes(1 << 20)
        for _ in range(size >> 20):
            client.send(piece)
        assert client.answer().status == 413
    assert time.monotonic() - began < 5
    assert is_empty(server)


def test_a_client_that_waits_is_refused_at_once(server: Server, token: str) -> None:
    began = time.monotonic()
    with server.connect() as client:
        client.begin(token, length=16 << 30)
        assert client.answer().status == 413
    assert time.monotonic() - began < 1


def test_a_signed_out_client_reads_that_it_is(server: Server, video_bytes: bytes) -> None:
    body = form_body(file_part(video_bytes))
    with server.connect() as client:
        client.begin(None, length=len(body))
        client.send(body)
        assert client.answer().status == 401
        client.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.answer().status == 200


def test_after_a_refusal_the_connection_begins_afresh(server: Server, token: str) -> None:
    body = form_body(*(text_part(f"f{i}", "GET / HTTP/1.1") for i in range(1001)))
    with server.connect() as client:
        client.begin(token, length=len(body))
        client.send(body)
        assert client.answer().status == 413
        client.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.answer().status == 200


@pytest.mark.parametrize("how", ["close", "reset", "half-close"])
@pytest.mark.parametrize("coding", ["length", "chunks"])
def test_a_client_that_leaves_in_the_middle_leaves_nothing(
    server: Server, token: str, video_bytes: bytes, how: str, coding: str
) -> None:
    body = form_body(file_part(video_bytes))
    client = server.connect()
    client.begin(token, length=len(body) if coding == "length" else None)
    client.send((chunked(body) if coding == "chunks" else body)[: 3 << 20])
    wait_until(lambda: is_arriving(server))
    if how == "reset":
        client.reset()
    elif how == "half-close":
        client.socket.shutdown(socket.SHUT_WR)
        assert client.answer().status == 400
    client.socket.close()
    wait_until(lambda: is_empty(server))


def test_a_worker_killed_in_the_middle_leaves_no_video_and_in_time_no_file(
    server: Server, token: str, video_bytes: bytes
) -> None:
    body = form_body(text_part("title", "x"), file_part(video_bytes))
    with server.connect() as client:
        client.begin(token, length=len(body))
        client.send(body[: len(body) - 1000])
        wait_until(lambda: is_arriving(server))
        killed = server.worker()
        assert killed
        os.kill(killed, signal.SIGKILL)
    wait_until(lambda: server.worker() not in (None, killed), within=30)
    assert (videos(server), uploads(server), len(files_in(server.videos_dir))) == (0, 1, 1)
    common = CommonSettings.read(Environment(server.settings))
    files = Files(server.videos_dir)
    settings = UploadSettings(common, server.videos_dir, max_upload_size=LIMIT, cleanup_after=60)
    assert Cleaner(Stores.of(common), files, files, settings).clean() == {}
    settings = replace(settings, cleanup_after=0)
    Cleaner(Stores.of(common), files, files, settings).clean()
    assert is_empty(server)


def test_a_stop_lets_an_upload_finish(
    tmp_path: Path, server: Server, token: str, video_bytes: bytes
) -> None:
    folder = tmp_path / "second"
    folder.mkdir()
    second = Server(
        folder,
        database=server.database,
        redis_url=server.settings["REDIS_URL"],
        static=Path(server.settings["STATIC_DIR"]),
    )
    body = form_body(file_part(video_bytes))
    with second.connect() as client:
        client.begin(token, length=len(body))
        client.send(body[: 2 << 20])
        wait_until(lambda: is_arriving(second))
        second.terminate()
        wait_until(lambda: not second.answers(), what="the closed door")
        client.send(body[2 << 20 :])
        assert client.answer().status == 201
    second.stop()
