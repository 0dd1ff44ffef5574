"""The demonstration fills a site that runs, and starts no second time what is there."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.catalogue import PASSWORD, PEOPLE
from demo.client import Client
from demo.fill import Demo, SiteInUse, fill
from demo.films import Film, Scene
from demo.rendering import Studio
from tests.conftest import CHEAP_HASHES, free_ports
from tests.system.deployment import Origin, Standalone, without_processing
from tests.system.http_client import Person

pytestmark = pytest.mark.needs_ffmpeg

ROOT = Path(__file__).parents[2]
FILMS = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """A site with nobody in it."""
    folder = tmp_path_factory.mktemp("demo") / "data"
    standalone = Standalone(folder, free_ports(3), **CHEAP_HASHES)
    standalone.start()
    yield standalone
    standalone.remove()


@pytest.fixture(scope="module")
def demo(site: Standalone, folder: Path) -> Iterator[Demo]:
    with without_processing(site):
        yield fill(site.url, folder, films=FILMS)


def test_everybody_can_sign_in_and_finds_something(site: Standalone, demo: Demo) -> None:
    for name in PEOPLE:
        client = Client(site.url)
        assert client.sign_in(name, PASSWORD)
        seen = {video["title"] for video in client.get("/api/videos")["videos"]}
        client.close()
        assert seen
        assert seen <= set(demo.videos)
    assert len(demo.videos) == FILMS


def test_a_second_time_adds_nothing(site: Standalone, demo: Demo, folder: Path) -> None:
    told: list[str] = []

    again = fill(site.url, folder, films=FILMS, tell=told.append)

    assert again.videos == demo.videos
    assert again.groups == demo.groups
    assert again.collections == demo.collections
    assert [line for line in told if not line.startswith("People")] == []


def test_a_site_of_other_people_stays_as_it_is(
    origin: Origin, administrator: Person, folder: Path
) -> None:
    before = administrator.video_ids()

    with pytest.raises(SiteInUse):
        fill(origin.url, folder, films=FILMS)

    client = Client(origin.url)
    assert not client.sign_in("anna", PASSWORD)
    client.close()
    assert administrator.video_ids() == before


def test_a_film_is_made_once(folder: Path) -> None:
    film = Film("Short", "ben", 1, Scene("pattern", source="testsrc2"), size=(160, 90))
    studio = Studio(folder)

    first = studio.make(film)
    before = first.stat().st_mtime_ns

    assert studio.make(film) == first
    assert first.stat().st_mtime_ns == before


def test_a_site_at_the_same_ports_is_left_alone(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "demo"],
            cwd=ROOT,
            env={**os.environ, "DATA_DIR": str(tmp_path / "data"), "PORTS": str(port)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.accept()

    assert done.returncode == 1
    assert f"Port {port}" in done.stderr
