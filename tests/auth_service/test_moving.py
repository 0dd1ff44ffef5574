"""What administrators see of the way to the object store, and how they slow it down."""

from dataclasses import replace
from datetime import timedelta

import pytest

from auth_service.moving import Moving, load_moving
from common.storage.store_settings import Store
from common.stores import Stores
from db.engine import Database
from db.models import ObjectState, Rendition, RenditionKind, StoredObject, Video, now
from tests.auth_service.conftest import put_video
from tests.auth_service.site_settings import set_site
from tests.conftest import Client, Site

HOUR = timedelta(hours=1)
MIB = 1 << 20


@pytest.fixture
def on_s3(site: Site) -> None:
    """The files of new videos end up in the object store."""
    services = site.apps["auth"].extensions["matinee"]
    services.settings = replace(services.settings, default_store=Store.S3)


def store(
    database: Database, video_id: str, name: str, size: int, *, ago: timedelta = HOUR * 2
) -> None:
    row = StoredObject(
        video_id=video_id,
        name=name,
        key=f"{video_id}/{name}",
        size=size,
        state=ObjectState.CURRENT,
        is_current=True,
        changed_at=now() - ago,
    )
    database.write(lambda session: session.add(row))


def prepare(database: Database, video_id: str, name: str, size: int) -> None:
    row = Rendition(
        video_id=video_id,
        name=name,
        kind=RenditionKind.VIDEO,
        codecs="avc1.640028",
        bandwidth=1,
        average_bandwidth=1,
        size=size,
    )
    database.write(lambda session: session.add(row))


@pytest.mark.on_mysql
def test_it_counts_what_is_there_and_what_waits(alice: Client, database: Database) -> None:
    assert load_moving(database, default_store=Store.DISK) is None
    moved = put_video(database, "alice", size=100 * MIB)
    prepare(database, moved, "720p", 50 * MIB)
    prepare(database, moved, "360p", 20 * MIB)
    put_video(database, "alice", size=9 * MIB)
    gone = put_video(database, "alice", size=7 * MIB)
    database.write(
        lambda session: session.query(Video).filter_by(id=gone).update({"deleted_at": now()})
    )
    store(database, moved, "original.mp4", 100 * MIB, ago=timedelta(minutes=10))
    store(database, moved, "hls/720p.mp4", 50 * MIB, ago=timedelta(minutes=5))
    # What is not counted makes the speed no lower, though it came first.
    store(database, moved, "poster.jpg", MIB, ago=timedelta(minutes=50))
    found = load_moving(database, default_store=Store.S3)
    assert found is not None
    assert found.speed == pytest.approx(150 * MIB / 600, rel=0.01)
    assert replace(found, speed=None) == Moving(151 * MIB, 2, 29 * MIB, None)
    assert found.minutes_left == 2
    assert load_moving(database, default_store=Store.DISK) == Moving(151 * MIB, 0, 0, None)


def page(alice: Client, path: str = "/admin") -> str:
    return alice.get(path).text.replace("\u00a0", " ")


def test_a_site_without_an_object_store_says_nothing_of_it(alice: Client) -> None:
    assert "Object storage" not in page(alice)
    assert "Object storage" not in page(alice, "/admin/settings")


@pytest.mark.usefixtures("on_s3")
def test_the_page_says_how_long_it_takes(site: Site, alice: Client, database: Database) -> None:
    assert "No file waits to be moved." in page(alice)
    moved = put_video(database, "alice", size=6_000_000_000)
    put_video(database, "alice", size=59_000_000_000)
    store(database, moved, "original.mp4", 6_000_000_000)
    assert "None was moved in the last hour." in page(alice)
    for minutes, words in (
        (10, "10 MB per second all are moved in about 2 hours"),
        (1, "10 minutes"),
    ):
        database.write(
            lambda session, minutes=minutes: session.query(StoredObject).update(  # type: ignore[misc]
                {"changed_at": now() - timedelta(minutes=minutes)}
            )
        )
        assert "1 file waits on the disk: 59 GB." in page(alice)
        assert words in page(alice)
    set_site(site, move_paused=True)
    assert "Moving is paused." in page(alice)


@pytest.mark.usefixtures("on_s3")
def test_it_can_be_paused_and_slowed_down(alice: Client, stores: Stores) -> None:
    assert alice.post("/admin/settings", data={"move_rate": "20 MB"}).status_code == 303
    assert alice.post("/admin/settings", data={"move_paused": "yes"}).status_code == 303
    settings = stores.site.current()
    assert (settings.move_rate, settings.move_paused) == (20_000_000, True)
    assert 'value="20 MB"' in page(alice, "/admin/settings")
    for text in ("99 kB", "fast", "-1 MB"):
        answer = alice.post("/admin/settings", data={"move_rate": text})
        assert answer.status_code == 422
        assert "at least 100 kB" in answer.text
    assert alice.post("/admin/settings", data={"move_rate": ""}).status_code == 303
    assert stores.site.current().move_rate is None
