"""A disk that is really full: an upload stops with 507, keeps what was told, and goes on later."""

import errno
import hashlib
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SETTINGS, free_ports
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


class OnSmallDisk(Standalone):
    """Its volume of videos is a disk of its own, which nobody else sees."""

    def __init__(self, data_dir: Path, ports: list[int], **settings: str) -> None:
        super().__init__(data_dir, ports, **settings)
        volume = data_dir / "videos"
        volume.mkdir()
        mount = f'mount -t tmpfs -o size={DISK} tmpfs "$0" && exec "$@"'
        self.launcher = (*OWN_MOUNTS, "sh", "-c", mount, str(volume))

    @property
    def volume(self) -> Path:
        """The disk as its process sees it."""
        process = next(pid for pid, command in self.children().items() if "gunicorn" in command)
        return Path(f"/proc/{process}/root{self.data_dir}/videos")

    def fill(self, *, but: int) -> None:
        """Leave so many bytes free, while others write."""
        end = 0
        with (self.volume / "ballast").open("wb") as file:
            while (more := shutil.disk_usage(self.volume).free - but) > 0:
                try:
                    os.posix_fallocate(file.fileno(), end, more)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                else:
                    end += more

    def used(self) -> int:
        """Return how many bytes of it are taken."""
        return shutil.disk_usage(self.volume).used

    def make_room(self) -> None:
        """Take away what filled it."""
        (self.volume / "ballast").unlink()


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnSmallDisk]:
    """A Matinee on a disk of 96 MiB."""
    if not may_mount():
        pytest.skip("this machine lets nobody mount a disk of their own")
    running = OnSmallDisk(tmp_path_factory.mktemp("small"), free_ports(3), **SETTINGS)
    try:
        running.start()
        yield running
    finally:
        running.remove()


@pytest.fixture(scope="module")
def alice(origin: OnSmallDisk) -> Iterator[Person]:
    """The owner."""
    with sign_up(origin.url, "alice") as person:
        yield person


@pytest.fixture(scope="module")
def video_bytes() -> bytes:
    """Eight mebibytes, no two pieces alike."""
    return one_second() + box(b"free", random.Random(9).randbytes(8 * MIB))


@pytest.mark.parametrize("checked", [False, True])
def test_a_disk_full_in_the_middle_keeps_what_was_told_and_goes_on_when_there_is_room(
    origin: OnSmallDisk, alice: Person, video_bytes: bytes, checked: bool
) -> None:
    tus = Tus(alice)
    where = tus.begin(len(video_bytes))
    start = 3 * MIB
    assert tus.patch(where, 0, video_bytes[:start]).status == 204
    origin.fill(but=MIB)
    try:
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
    finally:
        origin.make_room()
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
    origin: OnSmallDisk, alice: Person, video_bytes: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(video_bytes)
    wait_until(lambda: origin.used() < MIB, within=30, what="the space of videos that are deleted")
    origin.fill(but=66 * MIB)  # of which two are left to uploads
    try:
        assert Tus(alice).create(len(video_bytes)).status == 507
        answer = alice.post_form(path)
        assert answer.status_code == 507
        assert "space" in answer.text
        assert origin.incoming() == []
    finally:
        origin.make_room()
    video = alice.upload(path)
    assert alice.delete(f"/api/videos/{video}?permanently=1").status_code == 204


class OnOneSmallDisk(OnSmallDisk):
    """All of its data is on a disk of its own, as on a small server."""

    def __init__(self, data_dir: Path, ports: list[int], **settings: str) -> None:
        super().__init__(data_dir, ports, **settings)
        mount = f'mount -t tmpfs -o size={2 * DISK} tmpfs "$0" && exec "$@"'
        self.launcher = (*OWN_MOUNTS, "sh", "-c", mount, str(data_dir))


def test_with_no_byte_left_people_sign_in_watch_and_delete(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if not may_mount():
        pytest.skip("this machine lets nobody mount a disk of their own")
    file = tmp_path / "video.mp4"
    file.write_bytes(one_second())
    origin = OnOneSmallDisk(tmp_path_factory.mktemp("full"), free_ports(3), **SETTINGS)
    origin.start()
    try:
        with sign_up(origin.url, "alice") as alice:
            video = alice.upload(file)
        reserve = origin.volume.parent / "reserve"
        wait_until(reserve.exists, what="the reserve")
        origin.fill(but=0)
        wait_until(lambda: not reserve.exists(), what="the room that is given back")

        with sign_in(origin.url, "alice") as alice:
            assert alice.get("/stream").status_code == 200
            assert alice.get(f"/stream/{video}/video.mp4").content == one_second()
            assert alice.delete(f"/api/videos/{video}?permanently=1").status_code == 204
    finally:
        origin.remove()
