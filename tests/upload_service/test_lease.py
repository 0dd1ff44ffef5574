"""Several hosts on one volume whose locks do not reach from host to host."""

import hashlib
import itertools
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from weakref import WeakKeyDictionary

import pytest
from sqlalchemy import update

from common.storage import IncomingStore
from db.engine import Database, DatabaseUnavailable
from db.models import Upload, now
from tests.upload_service.conftest import Files
from tests.waiting import wait_until
from upload_service.receive.append_pieces import append_pieces
from upload_service.uploads import host, lease
from upload_service.uploads.append import AppendRequest, WrongOffset, append
from upload_service.uploads.checksums import checksums
from upload_service.uploads.complete import concatenate, recover_upload
from upload_service.uploads.context import UploadContext
from upload_service.uploads.create import InvalidParts, NewUpload, create_upload
from upload_service.uploads.lease import Superseded, renew
from upload_service.uploads.lock import LockedUpload, UploadLocked, exclusive_writer
from upload_service.uploads.queries import status_of

pytestmark = pytest.mark.on_mysql

LENGTH = 1000


class Cluster:
    """Hosts of one upload. This process acts for one after the other."""

    def __init__(self, context: UploadContext, monkeypatch: pytest.MonkeyPatch) -> None:
        self.context = context
        self._monkeypatch = monkeypatch
        monkeypatch.setattr("common.file_lock.fcntl.flock", lambda _file, _operation: None)
        monkeypatch.setattr(lease, "_renewers", WeakKeyDictionary())
        monkeypatch.setattr(lease, "_RENEW", 3600)  # tests renew when they want
        self.act_for("first")
        self.begin(NewUpload(length=LENGTH, title="A film"))

    def begin(self, new: NewUpload) -> None:
        """Begin another upload, and mean that from now on."""
        self.id = create_upload(self.context, new).id

    def act_for(self, name: str) -> None:
        self._monkeypatch.setattr(host, "boot_id", lambda: name)

    def append(self, at: int, content: bytes) -> int:
        request = AppendRequest(iter([content]), lambda: None, at, len(content))
        return append(self.context, self.id, request).offset

    def offset(self) -> int:
        return status_of(self.context, self.id).offset

    def row(self) -> Upload:
        return self.context.database.read(lambda session: session.get_one(Upload, self.id))

    def content(self) -> bytes:
        with self.context.incoming.open_incoming(self.id) as file:
            return file.read()

    def end_lease(self, ago: timedelta = timedelta()) -> None:
        """Let the lease end, as if its holder had not renewed it."""
        ended = update(Upload).values(locked_until=now() - timedelta(seconds=1) - ago)
        self.context.database.write(lambda session: session.execute(ended))


@pytest.fixture
def cluster(context: UploadContext, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    return Cluster(context, monkeypatch)


@pytest.fixture
def held() -> Iterator[ExitStack]:
    """What requests hold until the end of the test."""
    with ExitStack() as stack:
        yield stack


def lock(cluster: Cluster, held: ExitStack) -> LockedUpload:
    """Begin a request that writes, and let it last."""
    locked = held.enter_context(exclusive_writer(cluster.context, cluster.id, wait=0))
    assert locked is not None
    return locked


def write(locked: LockedUpload, content: bytes) -> None:
    """Write as a request does, without telling anybody."""
    append_pieces(locked.bytes, [content], max_bytes=LENGTH, sha256=None)


def test_two_hosts_take_turns(cluster: Cluster) -> None:
    for name, at in zip(itertools.cycle(["first", "second"]), range(0, 900, 100), strict=False):
        cluster.act_for(name)
        assert cluster.offset() == at
        assert cluster.append(at, bytes([at // 100]) * 100) == at + 100
    assert cluster.content() == b"".join(bytes([at]) * 100 for at in range(9))
    assert cluster.row().fence == 8


def test_one_host_writes_at_a_time(cluster: Cluster, held: ExitStack) -> None:
    with ExitStack() as request:
        lock(cluster, request)
        cluster.act_for("second")
        with pytest.raises(UploadLocked):
            lock(cluster, held)
        cluster.act_for("first")
    cluster.act_for("second")
    lock(cluster, held)


def test_the_bytes_of_a_host_that_went_away_are_cut_where_they_were_acknowledged(
    cluster: Cluster, held: ExitStack
) -> None:
    cluster.append(0, b"a" * 100)
    write(lock(cluster, held), b"b" * 50)
    cluster.end_lease()
    cluster.act_for("second")
    assert cluster.offset() == 100
    with pytest.raises(WrongOffset):
        cluster.append(150, b"c" * 50)
    assert cluster.content() == b"a" * 100
    assert cluster.append(100, b"c" * 50) == 150


def test_a_host_that_comes_back_after_another_took_over_changes_nothing(
    cluster: Cluster, held: ExitStack
) -> None:
    stale = lock(cluster, held)
    write(stale, b"a" * 100)
    cluster.end_lease()
    stale.lease.sure_until = lease.elapsed()
    cluster.act_for("second")
    cluster.append(0, b"b" * 60)

    with pytest.raises(DatabaseUnavailable):
        write(stale, b"c" * 100)
    assert renew(cluster.context.database, [stale.lease]) == set()
    stale.lease.is_lost = True
    with pytest.raises(Superseded):
        write(stale, b"c" * 100)
    with pytest.raises(Superseded):
        lease.record(cluster.context.database, stale.lease, offset=200, release=True)
    held.close()
    assert (cluster.content(), cluster.offset()) == (b"b" * 60, 60)


def test_a_lease_that_was_lost_while_writing_stops_its_request(cluster: Cluster) -> None:
    """The pieces that follow are not written, and nothing is cut."""

    def pieces() -> Iterator[bytes]:
        yield b"a" * 100
        wait_until(lambda: len(cluster.content()) == 100)
        cluster.end_lease()
        cluster.act_for("second")
        with ExitStack() as request:
            other = lock(cluster, request)
            write(other, b"b" * 30)
            lease.record(cluster.context.database, other.lease, offset=30, release=True)
        for one in running:
            one.is_lost = True
        yield b"c" * 100

    running: list[lease.Lease] = []
    with ExitStack() as request:
        stale = lock(cluster, request)
        running.append(stale.lease)
        with pytest.raises(Superseded):
            append_pieces(stale.bytes, pieces(), max_bytes=LENGTH, sha256=None)
    assert cluster.content() == b"b" * 30
    assert cluster.offset() == 30


def test_on_one_host_the_lock_tells_at_once_that_a_process_died(
    cluster: Cluster, held: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(lock(cluster, held), b"a" * 100)
    monkeypatch.setattr(host.os, "getpid", lambda: 0)
    assert cluster.offset() == 100
    assert cluster.append(100, b"b" * 50) == 150
    assert cluster.row().fence == 0


def test_what_a_client_was_told_of_a_dead_request_holds_on_every_host(
    cluster: Cluster, held: ExitStack
) -> None:
    write(lock(cluster, held), b"a" * 100)
    assert cluster.offset() == 100
    cluster.end_lease()
    cluster.act_for("second")
    assert cluster.append(100, b"b" * 50) == 150
    assert cluster.content() == b"a" * 100 + b"b" * 50


def test_once_two_hosts_have_written_only_recorded_bytes_count(
    cluster: Cluster, held: ExitStack
) -> None:
    """A host that was cut off may write to the file late; its bytes may have gaps before them."""
    cluster.append(0, b"a" * 100)
    cluster.act_for("second")
    cluster.append(100, b"b" * 100)
    with (cluster.context.incoming.root / "incoming" / cluster.id).open("r+b") as file:
        file.seek(LENGTH - 10)
        file.write(b"late bytes")
    assert cluster.offset() == 200
    assert recover_upload(cluster.context, cluster.row()) is None
    assert cluster.append(200, b"c" * 100) == 300
    assert len(cluster.content()) == 300


def test_a_file_that_has_not_caught_up_is_waited_for_and_in_the_end_believed(
    cluster: Cluster, held: ExitStack
) -> None:
    cluster.append(0, b"a" * 100)
    (cluster.context.incoming.root / "incoming" / cluster.id).write_bytes(b"a" * 60)
    cluster.act_for("second")
    with pytest.raises(UploadLocked):
        lock(cluster, held)
    cluster.end_lease(timedelta(minutes=1))
    assert lock(cluster, held).bytes.size == 60
    held.close()
    assert cluster.offset() == 60


def test_a_renewal_extends_what_is_held_and_nothing_else(cluster: Cluster, held: ExitStack) -> None:
    with ExitStack() as request:
        locked = lock(cluster, request)
        cluster.end_lease()
        assert renew(cluster.context.database, [locked.lease]) == {cluster.id}
        cluster.act_for("second")
        with pytest.raises(UploadLocked):
            lock(cluster, held)
        cluster.act_for("first")
    assert renew(cluster.context.database, [locked.lease]) == set()
    cluster.act_for("second")
    lock(cluster, held)


def test_leases_are_renewed_while_they_are_held(
    cluster: Cluster, held: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed = threading.Event()

    def watched(database: Database, leases: list[lease.Lease]) -> set[str]:
        found = renew(database, leases)
        renewed.set()
        return found

    monkeypatch.setattr(lease, "_RENEW", 0.01)
    monkeypatch.setattr(lease, "renew", watched)
    locked = lock(cluster, held)
    before = locked.lease.sure_until
    assert renewed.wait(20)
    renewed.clear()
    assert renewed.wait(20)  # the first is noted by now
    assert locked.lease.sure_until > before
    held.close()


def test_a_request_that_cannot_renew_its_lease_ends_and_its_upload_goes_on(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pieces(fault: pytest.MonkeyPatch) -> Iterator[bytes]:
        yield b"a" * 100
        wait_until(lambda: len(cluster.content()) == 100)
        later = lease.elapsed() + lease.LEASE.total_seconds()
        fault.setattr(lease, "elapsed", lambda: later)
        yield b"b" * 100

    with monkeypatch.context() as fault:
        request = AppendRequest(pieces(fault), lambda: None, 0, 200)
        with pytest.raises(DatabaseUnavailable):
            append(cluster.context, cluster.id, request)
    assert cluster.offset() == 100
    assert cluster.append(100, b"c" * 100) == 200
    assert cluster.content() == b"a" * 100 + b"c" * 100


def test_the_checksum_of_bytes_that_another_host_replaced_is_not_used(
    cluster: Cluster, video_bytes: bytes
) -> None:
    """The length is the same, so the offset alone would not tell."""
    cluster.begin(NewUpload(length=len(video_bytes), title="A film"))
    cut = len(video_bytes) - 10
    cluster.act_for("second")
    cluster.append(0, video_bytes[:5])
    cluster.act_for("first")
    cluster.append(5, video_bytes[5:cut])
    checksums.keep(cluster.id, cut, hashlib.sha256(b"x" * cut), fence=0)
    request = AppendRequest(iter([video_bytes[cut:]]), lambda: None, cut, 10)
    video = append(cluster.context, cluster.id, request).video
    assert video is not None
    assert video.sha256 is None  # the janitor computes it


def test_a_part_with_bytes_that_were_not_recorded_is_not_complete(cluster: Cluster) -> None:
    cluster.begin(NewUpload(length=100, title="A part", is_part=True))
    cluster.append(0, b"a" * 50)
    cluster.act_for("second")
    cluster.append(50, b"b" * 10)
    (cluster.context.incoming.root / "incoming" / cluster.id).write_bytes(b"c" * 100)
    whole = NewUpload(length=None, title="A film")
    with pytest.raises(InvalidParts):
        create_upload(cluster.context, whole, parts=[cluster.id])


def test_what_one_host_put_together_is_finished_by_another(
    cluster: Cluster, video_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parts are gone by then."""

    def fail(*_arguments: object) -> None:
        raise DatabaseUnavailable

    cluster.begin(NewUpload(length=len(video_bytes), title="A part", is_part=True))
    cluster.append(0, video_bytes)
    whole = NewUpload(length=None, title="A film")
    upload = create_upload(cluster.context, whole, parts=[cluster.id])
    with monkeypatch.context() as fault:
        fault.setattr("upload_service.uploads.complete.finish_if_complete", fail)
        with pytest.raises(DatabaseUnavailable):
            concatenate(cluster.context, upload)
    cluster.act_for("second")
    status = recover_upload(cluster.context, upload)
    assert status is not None
    assert status.video is not None
    assert status.video.size == len(video_bytes)


def test_a_file_system_that_is_mounted_twice_counts_as_two_hosts(
    storage: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its locks may not reach from mount to mount."""
    here = host.process_of(host.host_of(storage))
    assert host.is_on(host.host_of(storage), here)
    assert len(here) <= 64
    monkeypatch.setattr(IncomingStore, "identity", lambda _self: "elsewhere")
    assert not host.is_on(host.host_of(storage), here)
