"""The bin: who sees what is in it, and how it comes back or is deleted."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from db.engine import Database
from db.models import AuditEntry, JobKind, JobState, Video, now
from streaming_service.videos.library import PAGE
from tests.conftest import Client
from transcode_service.jobs import claim

from .conftest import House, Put

pytestmark = pytest.mark.on_mysql


def actions(database: Database, video_id: str) -> list[str]:
    """Return what the audit log says of a video, the oldest first."""
    wanted = select(AuditEntry.action).where(AuditEntry.video_id == video_id)
    return database.read(lambda session: list(session.scalars(wanted.order_by(AuditEntry.id))))


def test_deleting_offers_to_undo_it(house: House, put: Put, alice: Client, bob: Client) -> None:
    video_id = put(title="A day at the sea", visibility="members")

    answer = alice.post(f"/stream/{video_id}/delete")

    assert answer.location == f"/stream?whose=mine&done=deleted&video={video_id}"
    page = alice.get(answer.location).text
    assert "The video is in your bin." in page
    assert f'action="/stream/{video_id}/restore"' in page
    assert "A day at the sea" not in page
    assert "A day at the sea" in alice.get("/stream/bin").text
    assert [c.get(f"/stream/{video_id}").status_code for c in (alice, bob)] == [200, 404]

    back = alice.post(f"/stream/{video_id}/restore", data={"from": "library"})

    assert back.location == "/stream?whose=mine&done=restored"
    assert "A day at the sea" in alice.get(back.location).text
    assert bob.get(f"/stream/{video_id}").status_code == 200
    assert actions(house.database, video_id) == ["video.binned", "video.restored"]


def test_the_bin_is_its_owners_alone(put: Put, alice: Client, bob: Client, charlie: Client) -> None:
    video_id = put(visibility="public", title="Mine", binned_at=now())

    for other in (bob, charlie):
        assert "Mine" not in other.get("/stream/bin").text
        assert other.get("/api/bin").json == {"videos": [], "next": None}
        for path in (f"/stream/{video_id}/restore", f"/stream/{video_id}/delete-now"):
            assert other.post(path, data={"from": ""}).status_code == 404
        assert other.post(f"/api/videos/{video_id}/restore").status_code == 404
        assert other.delete(f"/api/videos/{video_id}?permanently=1").status_code == 404
        other.post("/stream/bin/empty")
    [listed] = alice.get("/api/bin").json["videos"]
    assert listed["id"] == video_id
    assert listed["binned_at"] < listed["deleted_on"]


def test_an_administrator_cannot_delete_anothers_video_for_good(
    house: House, put: Put, charlie: Client
) -> None:
    video_id = put(visibility="public")

    assert charlie.delete(f"/api/videos/{video_id}?permanently=1").status_code == 404
    assert house.video(video_id).deleted_at is None


def test_restoring_brings_back_who_could_watch(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    video_id = put()
    house.grant("bob", video_id=video_id)
    assert bob.get(f"/stream/{video_id}").status_code == 200
    bob.put(f"/api/videos/{video_id}/position", json={"position_ms": 30_000})

    alice.delete(f"/api/videos/{video_id}")
    assert bob.get(f"/api/videos/{video_id}").status_code == 404
    restored = alice.post(f"/api/videos/{video_id}/restore")

    assert (restored.status_code, restored.json["binned_at"]) == (200, None)
    assert bob.get(f"/api/videos/{video_id}").json["position_ms"] == 30_000
    assert alice.post(f"/api/videos/{video_id}/restore").status_code == 404


def test_the_watch_page_of_a_binned_video_offers_to_restore_it(put: Put, alice: Client) -> None:
    video_id = put(binned_at=now() - timedelta(days=18))

    page = alice.get(f"/stream/{video_id}").text

    assert "It is deleted for good in 12 days." in page
    answer = alice.post(f"/stream/{video_id}/restore", data={})
    assert answer.location == f"/stream/{video_id}?done=restored"
    page = alice.get(answer.location).text
    assert "The video is restored" in page
    assert "deleted for good" not in page


def test_deleting_for_good(house: House, put: Put, alice: Client) -> None:
    binned, kept = put(binned_at=now()), put()

    answer = alice.post(f"/stream/{binned}/delete-now")
    assert "The video is deleted for good." in alice.get(answer.location).text
    assert alice.delete(f"/api/videos/{kept}?permanently=1").status_code == 204

    for video_id in (binned, kept):
        assert house.video(video_id).deleted_at is not None
        assert alice.get(f"/stream/{video_id}").status_code == 404
        assert actions(house.database, video_id) == ["video.deleted"]


def test_emptying_the_bin_deletes_all_that_is_in_it(house: House, put: Put, alice: Client) -> None:
    binned, kept = [put(binned_at=now(), data=b"x" * 1000) for _ in range(3)], put()
    assert "3 kB are freed" in alice.get("/stream/bin").text

    answer = alice.post("/stream/bin/empty")

    assert "Your bin is empty" in alice.get(answer.location).text
    assert all(house.video(video_id).deleted_at for video_id in binned)
    assert house.video(kept).deleted_at is None


def test_the_bin_goes_on_to_further_pages(put: Put, alice: Client) -> None:
    for number in range(PAGE + 2):
        put(title=f"{number}", binned_at=now() - timedelta(seconds=number))

    first = alice.get("/api/bin").json
    second = alice.get(f"/api/bin?after={first['next']}").json

    titles = [video["title"] for video in (*first["videos"], *second["videos"])]
    assert titles == [f"{number}" for number in range(PAGE + 2)]
    assert second["next"] is None
    assert alice.get("/api/bin?after=x").status_code == 422
    assert alice.get("/stream/bin?after=x").status_code == 200
    assert "after=" in alice.get("/stream/bin").text


def test_jobs_wait_while_their_video_is_in_the_bin(house: House, put: Put, alice: Client) -> None:
    video_id = put(binned_at=now())
    house.add_job(video_id, JobKind.CHECK)
    assert claim(house.database, worker="w") is None

    alice.post(f"/api/videos/{video_id}/restore")

    taken = claim(house.database, worker="w")
    assert taken is not None
    assert taken.video_id == video_id


def test_failed_jobs_of_a_binned_video_are_not_listed(
    house: House, put: Put, charlie: Client
) -> None:
    video_id = put(visibility="public")
    house.add_job(video_id, JobKind.CHECK, JobState.FAILED, attempts=3)
    assert len(charlie.get("/api/videos/failed").json["steps"]) == 1

    house.change(Video, video_id, binned_at=now())

    assert charlie.get("/api/videos/failed").json["steps"] == []
