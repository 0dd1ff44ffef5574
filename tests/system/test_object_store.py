"""Films in the object store, on the whole stack: who gets them, and what happens without the store.

The stack's files of new videos end up in the store by themselves; here they are moved at once, and
their copies on the disk removed, so that only the store can have answered.
"""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests import media
from tests.permissions.matrix import OUR_SITE, ROUTES, Cell, Route, cells
from tests.permissions.matrix_client import MatrixClient
from tests.permissions.test_over_http import CALLERS, STATES, complaints_about, is_tried
from tests.system.deployment import Compose, without_processing
from tests.system.http_client import Person
from tests.system.test_processing import state
from tests.waiting import wait_until

pytestmark = [pytest.mark.compose_only, pytest.mark.needs_ffmpeg]

SLICE = 1 << 20
MEDIA = [route for route in ROUTES if route.is_media]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of several slices: what follows its boxes is no part of it."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    free = Random(3).randbytes(3 * SLICE)
    path.write_bytes(media.one_second() + (len(free) + 8).to_bytes(4, "big") + b"free" + free)
    return path


def to_store(origin: Compose, *videos: str) -> None:
    """Move all files of videos to the store, and remove them from the disk."""
    for video in videos:
        command = ("matinee", "admin", "storage", "move", "--to", "s3", "--video", video)
        origin.run("janitor", *command)
    # An authorisation from before may still lead to the disk until the clock's second has ended.
    moved = time.time()
    wait_until(lambda: time.time() > moved + 1.2, within=5, what="the next second")
    for video in videos:
        origin.run("upload", "find", f"/videos/{video}", "-type", "f", "-delete")


@pytest.fixture(scope="module")
def stored(origin: Compose, administrator: Person, film: Path) -> str:
    """A film of Alice's with all that is made of it, in the store alone."""
    video = administrator.upload(film, title="In the store")
    wait_until(lambda: state(administrator, video) == "done", within=120, what="its renditions")
    to_store(origin, video)
    return video


def part(person: Person, video: str, first: int, last: int) -> tuple[int, bytes]:
    """Ask for a range of the original."""
    answer = person.get(f"/stream/{video}/video.mp4", headers={"Range": f"bytes={first}-{last}"})
    return answer.status_code, answer.content


def test_a_film_is_watched_from_the_store(alice: Person, stored: str, film: Path) -> None:
    content = film.read_bytes()

    assert alice.get(f"/stream/{stored}/video.mp4").content == content
    assert part(alice, stored, SLICE - 9, SLICE + 9) == (206, content[SLICE - 9 : SLICE + 10])
    kept = alice.get(f"/stream/{stored}/download")
    assert kept.content == content
    assert 'filename="film.mp4"' in kept.headers["Content-Disposition"]
    assert alice.get(f"/stream/{stored}/poster.jpg").headers["Content-Type"] == "image/jpeg"
    told = alice.get(f"/api/videos/{stored}").json()
    master = alice.get(told["processing"]["master"]).text
    playlist = next(line for line in master.splitlines() if line and line[0] != "#")
    segments = alice.get(f"/stream/{stored}/{playlist}").text
    assert segments.rstrip().endswith("#EXT-X-ENDLIST")
    assert alice.get(f"/stream/{stored}/{playlist[:-5]}.mp4").content[4:8] == b"ftyp"


def test_a_film_moves_while_it_is_watched(origin: Compose, alice: Person, film: Path) -> None:
    content = film.read_bytes()
    video = alice.upload(film, title="Moving")
    random, moved, wrong, read = Random(4), threading.Event(), [], 0

    def watch() -> None:
        nonlocal read
        with Person(origin.url) as viewer:
            viewer.cookies.update(alice.cookies)
            while not moved.is_set():
                first = random.randrange(len(content) - 1000)
                status, found = part(viewer, video, first, first + 999)
                if (status, found) != (206, content[first : first + 1000]):
                    wrong.append((first, status, found[:100]))
                read += 1

    viewer = threading.Thread(target=watch)
    viewer.start()
    to_store(origin, video)
    after = read
    wait_until(lambda: read > after + 20 or wrong, within=30, what="ranges from the store")
    moved.set()
    viewer.join()

    assert not wrong


def test_access_ends_in_the_store_too(alice: Person, bob: Person, stored: str) -> None:
    alice.show(stored, "members")
    assert part(bob, stored, 0, 9)[0] == 206

    alice.show(stored, "private")

    wait_until(lambda: part(bob, stored, 0, 9)[0] == 404, within=5, what="the end of access")
    assert part(alice, stored, 0, 9)[0] == 206


def test_a_film_in_the_store_gets_another_poster(
    origin: Compose, alice: Person, stored: str
) -> None:
    """A worker fetches the original from there, and puts the poster there."""
    before = alice.get(f"/stream/{stored}/poster.jpg").content

    answer = alice.post(f"/stream/{stored}/poster", files={"at": (None, "0.9")})
    assert answer.status_code == 303, answer.text

    def poster() -> bytes:
        return alice.get(f"/stream/{stored}/poster.jpg").content

    wait_until(lambda: poster() != before, within=120, what="the other poster")
    files = origin.run("upload", "find", "/videos", "-path", f"*/{stored}/poster.jpg")
    assert files == ""


@pytest.fixture(scope="module")
def client(origin: Compose, administrator: Person) -> Iterator[MatrixClient]:
    """Everybody, and videos in every state, in the store."""
    cookie = "; ".join(f"{one.name}={one.value}" for one in administrator.cookies)
    client = MatrixClient(origin.url, {"Cookie": cookie}, media.one_second())
    with without_processing(origin):
        for route in MEDIA:
            client.prepare(route, CALLERS, STATES)
        to_store(origin, *(str(video["id"]) for video in client.own_videos()))
        yield client
    client.close()


@pytest.mark.parametrize("route", MEDIA, ids=lambda route: route.pattern)
def test_everybody_gets_what_they_may_of_the_store(client: MatrixClient, route: Route) -> None:
    content = media.one_second()
    asked: list[Cell] = [
        cell for cell in cells(route, ()) if is_tried(cell) and cell.site == OUR_SITE
    ]
    wrong = [complaint for cell in asked for complaint in complaints_about(client, cell, content)]

    assert asked
    assert not wrong, "\n".join(wrong)


def test_without_the_store(origin: Compose, alice: Person, stored: str, film: Path) -> None:
    """What is kept plays on, the rest comes later, and uploads go on."""
    content = film.read_bytes()
    assert part(alice, stored, 0, 9)[0] == 206
    other = alice.upload(film, title="Not read yet")
    to_store(origin, other)
    origin.compose("kill", "s3")
    try:
        assert part(alice, stored, 10, 19) == (206, content[10:20])
        missing = alice.get(f"/stream/{other}/video.mp4")
        assert missing.status_code == 503
        assert missing.headers["Retry-After"]
        new = alice.upload(film, title="Meanwhile")
        assert part(alice, new, 0, 9) == (206, content[:10])
    finally:
        origin.compose("start", "s3")
    wait_until(lambda: part(alice, other, 0, 9)[0] == 206, within=60, what="the store")
