"""A disk that is really full: an upload stops with 507, keeps what was told, and goes on later."""

import errno
import hashlib
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import CHEAP_HASHES, SETTINGS, free_ports
from tests.media import box, one_second
from tests.system.deployment import Standalone
from tests.system.http_client import Person, sign_in, sign_up
from tests.system.tus import Tus, checksum
from tests.waiting import wait_until

pytestmark = pytest.mark.standalone_only

MIB = 1 << 20
DISK = 96 * MIB  # of which uploads leave 64 MiB free for the rest of the machine
OWN_MOUNTS = ("unshare", "--user", "--map-root-user", "--mount")


def may_mount() -> bool:
    """Tell whether a program may be given a disk of its own here."""
    if not shutil.which("unshare"):
        return False
    return subprocess.run([*OWN_MOUNTS, "true"], check=False, capture_output=True).returncode == 0


class OnSmallDisks(Standalone):
    """Its data are on a disk of their own, and its videos on another; nobody else sees them."""

    def __init__(self, data_dir: Path, ports: list[int], **settings: str) -> None:
        super().__init__(data_dir, ports, **settings)
        mount = f"mount -t tmpfs -o size={DISK} tmpfs"
        both = f'{mount} "$0" && mkdir "$0/videos" && {mount} "$0/videos" && exec "$@"'
        self.launcher = (*OWN_MOUNTS, "sh", "-c", both, str(data_dir))

    @property
    def volume(self) -> Path:
        """The disk as its process sees it."""
        process = next(pid for pid, command in self.children().items() if "gunicorn" in command)
        return Path(f"/proc/{process}/root{self.data_dir}/videos")

    def used(self) -> int:
        """Return how many bytes of the videos' disk are taken."""
        return shutil.disk_usage(self.volume).used


@contextmanager
def filled(disk: Path, *, but: int) -> Iterator[None]:
    """Leave so many bytes of a disk free, while others write, and make room in the end."""
    ballast, end = disk / "ballast", 0
    with ballast.open("wb") as file:
        while (more := shutil.disk_usage(disk).free - but) > 0:
            try:
                os.posix_fallocate(file.fileno(), end, more)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
            else:
                end += more
    try:
        yield
    finally:
        ballast.unlink()


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnSmallDisks]:
    """A Matinee on two disks of 96 MiB."""
    if not may_mount():
        pytest.skip("this machine lets nobody mount a disk of their own")
    folder = tmp_path_factory.mktemp("small")
    running = OnSmallDisks(folder, free_ports(3), **SETTINGS, **CHEAP_HASHES)
    try:
        running.start()
        yield running
    finally:
        running.remove()


@pytest.fixture(scope="module")
def alice(origin: OnSmallDisks) -> Iterator[Person]:
    """The owner."""
    with sign_up(origin.url, "alice") as person:
        yield person


@pytest.fixture(scope="module")
def video_bytes() -> bytes:
    """Eight mebibytes, no two pieces alike."""
    return one_second() + box(b"free", random.Random(9).randbytes(8 * MIB))


@pytest.mark.parametrize("checked", [False, True])
def test_a_disk_full_in_the_middle_keeps_what_was_told_and_goes_on_when_there_is_room(
    origin: OnSmallDisks, alice: Person, video_bytes: bytes, checked: bool
) -> None:
    tus = Tus(alice)
    where = tus.begin(len(video_bytes))
    start = 3 * MIB
    assert tus.patch(where, 0, video_bytes[:start]).status == 204
    with filled(origin.volume, but=MIB):
        rest = video_bytes[start:]
        headers = checksum(rest) if checked else {}
        answer = tus.patch(where, start, rest, headers)
        assert answer.status == 507
        assert b"space" in answer.body
        stuck = tus.offset(where)
        # Of a chunk with a checksum nothing is kept unless all of it fits.
        assert stuck == start if checked else start <= stuck <= start + MIB
        kept = (origin.volume / "incoming" / where.rpartition("/")[2]).read_bytes()
        assert kept[:stuck] == video_bytes[:stuck]
    answer = tus.patch(where, stuck, video_bytes[stuck:])
    assert answer.status == 204
    video = answer.headers["Upload-Video"]
    arrived = alice.get(f"{video}/video.mp4").content
    assert hashlib.sha256(arrived).digest() == hashlib.sha256(video_bytes).digest()
    assert (
        alice.delete(f"/api/videos/{video.removeprefix('/stream/')}?permanently=1").status_code
        == 204
    )


def test_a_full_disk_refuses_before_the_first_byte(
    origin: OnSmallDisks, alice: Person, video_bytes: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(video_bytes)
    wait_until(lambda: origin.used() < MIB, within=30, what="the space of videos that are deleted")
    with filled(origin.volume, but=66 * MIB):  # of which two are left to uploads
        assert Tus(alice).create(len(video_bytes)).status == 507
        answer = alice.post_form(path)
        assert answer.status_code == 507
        assert "space" in answer.text
        assert origin.incoming() == []
    video = alice.upload(path)
    assert alice.delete(f"/api/videos/{video}?permanently=1").status_code == 204


def test_with_no_byte_left_people_sign_in_watch_and_delete(
    origin: OnSmallDisks, alice: Person, tmp_path: Path
) -> None:
    file = tmp_path / "video.mp4"
    file.write_bytes(one_second())
    video = alice.upload(file)
    reserve = origin.volume.parent / "reserve"
    wait_until(reserve.exists, what="the reserve")
    with filled(origin.volume, but=0), filled(reserve.parent, but=0):
        wait_until(lambda: not reserve.exists(), what="the room that is given back")

        with sign_in(origin.url, "alice") as again:
            assert again.get("/stream").status_code == 200
            assert again.get(f"/stream/{video}/video.mp4").content == one_second()
            assert again.delete(f"/api/videos/{video}?permanently=1").status_code == 204
