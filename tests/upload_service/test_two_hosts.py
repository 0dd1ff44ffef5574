"""tus over two servers that share a database, but no lock, as on two hosts.

The bytes are in a folder that they share too, or in an object store. An upload has `FAULT_ROUNDS`
requests.
"""

import os
import random
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from common.ids import new_id
from common.storage.s3 import S3Store
from common.storage.s3_settings import S3Settings
from db.engine import connect
from tests.media import box, mp4
from tests.object_stores import ObjectStore
from tests.upload_service.server import Server
from tests.upload_service.test_tus_connections import Client, new_client
from tests.waiting import wait_until

pytestmark = pytest.mark.on_mysql

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "20"))
KILLED_OF = 16  # rounds; in one of as many a process is killed


@pytest.fixture(scope="module")
def video_bytes() -> bytes:
    """Some megabytes of video, no two pieces alike: a byte in the wrong place would show."""
    return mp4() + box(b"free", random.Random(7).randbytes(6 << 20))


@pytest.fixture(scope="module", params=["folder", "object store"])
def bucket(request: pytest.FixtureRequest, object_store: ObjectStore) -> S3Settings | None:
    """Where the bytes are; None is the folder."""
    if request.param == "folder":
        return None
    return replace(object_store.settings, prefix=f"{new_id()}/")


@pytest.fixture(scope="module")
def store(bucket: S3Settings | None) -> S3Store | None:
    """The store of that bucket."""
    return S3Store(bucket) if bucket is not None else None


@pytest.fixture(scope="module")
def hosts(
    tmp_path_factory: pytest.TempPathFactory,
    migrated: str,
    redis_url: str,
    static_dir: Path,
    object_store: ObjectStore,
    bucket: S3Settings | None,
) -> Iterator[list[Server]]:
    """Two servers of one deployment."""
    settings = {}
    if bucket is not None:
        settings = object_store.environ | {"STORE": "s3", "UPLOAD_STORE": "s3"}
        settings["S3_PREFIX"] = bucket.prefix
    folder = tmp_path_factory.mktemp("hosts")
    if migrated.startswith("sqlite"):
        shutil.copyfile(migrated.removeprefix("sqlite:///"), folder / "matinee.db")
        migrated = f"sqlite:///{folder / 'matinee.db'}"
    database = connect(migrated)
    servers = []
    with ExitStack() as stack:
        stack.callback(database.engine.dispose)
        for name in ("first", "second"):
            (folder / name).mkdir()
            server = Server(
                folder / name,
                database=database,
                redis_url=redis_url,
                static=static_dir,
                videos_dir=folder / ("videos" if bucket is None else f"videos-{name}"),
                settings=settings,
                application=f"tests.upload_service.other_host:on('{name}')",
            )
            stack.callback(server.stop)
            servers.append(server)
        yield servers
        for server in servers:
            assert "Traceback" not in server.log(), server.log()[-3000:]


@pytest.fixture
def clients(hosts: list[Server]) -> list[Client]:
    """One person's client of each host."""
    client = new_client(hosts[0])
    return [client, Client(hosts[1], client.token)]


def keys(store: S3Store) -> list[str]:
    """Return the keys of all objects, and of those that are not complete."""
    unfinished = [upload.key for upload in store.list_multiparts("")]
    return [*store.list_keys(""), *unfinished]


def assert_arrived(client: Client, where: str, store: S3Store | None, video_bytes: bytes) -> None:
    """Look for the video, and in the store for nothing else of its."""
    if store is None:
        client.assert_arrived(where, video_bytes)
        return
    [key] = [key for key in keys(store) if key.startswith(where.rsplit("/", 1)[1])]
    assert store.get(key).body == video_bytes


def offset_when_free(client: Client, where: str) -> int:
    """Return the offset once the host answers; it may be starting again."""
    wait_until(client.server.answers, within=30)
    return client.offset(where)


def kill_worker(server: Server) -> None:
    killed = server.worker()
    assert killed
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: server.worker() not in (None, killed), within=30)


def test_requests_alternate_between_two_hosts_with_aborts_and_kills(
    clients: list[Client], store: S3Store | None, video_bytes: bytes
) -> None:
    dice = random.Random(5)
    where = clients[0].begin(len(video_bytes))
    piece = len(video_bytes) // (2 * ROUNDS)  # a round brings less than two
    told = 0
    for count in range(ROUNDS):
        client = clients[count % 2]
        fate = "kill" if count % KILLED_OF == 10 else dice.choice(["whole", "whole", "abort"])
        if fate != "whole":
            sent = dice.randrange(piece)
            with client.open_patch(where, told, piece) as connection:
                connection.send(video_bytes[told : told + sent])
                if fate == "kill":
                    kill_worker(client.server)
            client = clients[dice.randrange(2)]
        wait_until(lambda client=client: _goes_on(client, where, video_bytes, piece), within=30)
        offset = offset_when_free(client, where)
        assert offset >= told, (count, fate)
        told = offset
    wait_until(lambda: _goes_on(clients[0], where, video_bytes, len(video_bytes)))
    assert_arrived(clients[0], where, store, video_bytes)


def _goes_on(client: Client, where: str, video_bytes: bytes, piece: int) -> bool:
    """Send the next piece as clients do: ask for the offset first. Tell whether it was taken."""
    at = offset_when_free(client, where)
    status = client.patch(where, at, video_bytes[at : at + piece]).status
    assert status in (204, 409, 423, 503), status  # 503: it had no time to renew its lease
    return status == 204


def test_a_host_that_stood_still_changes_nothing_when_it_goes_on(
    clients: list[Client], store: S3Store | None, video_bytes: bytes
) -> None:
    where = clients[0].begin(len(video_bytes))
    assert clients[0].patch(where, 0, video_bytes[:1000]).status == 204
    stopped = clients[0].server.worker()
    assert stopped
    foreign = b"\0" * (2 << 20)
    with clients[0].open_patch(where, 1000, len(foreign)) as connection:
        connection.send(foreign[: 1 << 20])
        if store is None:
            wait_until(lambda: clients[0].incoming(where).stat().st_size > 1000)
        os.kill(stopped, signal.SIGSTOP)
        try:
            connection.socket.settimeout(None)
            connection.send(foreign[1 << 20 : (1 << 20) + 100_000])
            assert clients[1].offset(where) == 1000
            wait_until(
                lambda: clients[1].patch(where, 1000, video_bytes[1000:5000]).status == 204,
                within=30,
            )
        finally:
            os.kill(stopped, signal.SIGCONT)
        connection.send(foreign[(1 << 20) + 100_000 :])
        assert connection.answer().status in (409, 503)
    for client in clients:
        assert client.offset(where) == 5000
    assert clients[0].patch(where, 5000, video_bytes[5000:]).status == 204
    assert_arrived(clients[0], where, store, video_bytes)


def test_a_request_that_stalls_on_one_host_gives_way_to_one_on_another(
    clients: list[Client], store: S3Store | None, video_bytes: bytes
) -> None:
    where = clients[0].begin(len(video_bytes))
    with clients[0].open_patch(where, 0, len(video_bytes)) as stalled:
        stalled.send(video_bytes[:100_000])
        if store is None:
            wait_until(lambda: clients[0].incoming(where).stat().st_size == 100_000)
        wait_until(lambda: _goes_on(clients[1], where, video_bytes, len(video_bytes)))
    assert_arrived(clients[1], where, store, video_bytes)


def test_an_upload_can_be_deleted_on_another_host_than_that_which_receives_it(
    clients: list[Client], store: S3Store | None, video_bytes: bytes
) -> None:
    where = clients[0].begin(len(video_bytes))
    with clients[0].open_patch(where, 0, len(video_bytes)) as busy:
        busy.send(video_bytes[:100_000])
        if store is None:
            wait_until(lambda: clients[0].incoming(where).stat().st_size == 100_000)
        assert clients[1].ask("DELETE", where).status == 204
    if store is None:
        assert not clients[0].incoming(where).exists()
    else:
        assert where.rsplit("/", 1)[1] not in "".join(keys(store))
