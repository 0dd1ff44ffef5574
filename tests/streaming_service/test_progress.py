"""How far a video is prepared: said on pages, in JSON and live."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from common import forecast
from common.process import shutdown
from common.stores.sessions import SessionStore
from db.engine import Database, DatabaseUnavailable
from db.models import Job, JobKind, JobState, Video, now
from streaming_service.event_stream_limits import CLIENT_LIMIT, EventStreamLimits
from streaming_service.pages import progress_routes as progress
from streaming_service.processing import followed
from tests.conftest import Client

from .conftest import House, Put

LIVE = {"Accept": "text/event-stream"}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again without waiting."""
    monkeypatch.setattr(progress, "_INTERVAL", 0.0)
    monkeypatch.setattr(forecast, "_MAX_AGE", 0.0)
    monkeypatch.setattr(followed, "_MAX_AGE", 0.0)


class Stream:
    """A page that is shown live."""

    def __init__(self, client: Client, path: str) -> None:
        self.answer = client.get(path, headers=LIVE, buffered=False)
        self._pieces: Iterator[Any] = iter(self.answer.response)

    def event(self) -> dict[str, Any]:
        """Return the next event; comments are passed over."""
        for piece in self._pieces:
            text = piece.decode()
            if not text.startswith(":"):
                head, data, *rest = text.split("\n")
                assert (head, rest) == ("event: progress", ["", ""])
                found: dict[str, Any] = json.loads(data.removeprefix("data: "))
                return found
        raise EOFError

    def is_over(self) -> bool:
        """Read to the end, and tell that there was no other event."""
        return all(piece.startswith(b":") for piece in self._pieces)


@pytest.fixture
def underway(house: House, put: Put) -> str:
    """A video of Alice's for everybody: checked, drawn, in 240p, and half done with 360p."""
    video_id = put(visibility="public")
    for kind in (JobKind.CHECK, JobKind.THUMBNAILS):
        house.add_job(video_id, kind, JobState.DONE, progress=1.0, estimate=1.0)
    house.add_job(
        video_id, JobKind.RENDITION, JobState.DONE, height=240, progress=1.0, estimate=4.0
    )
    house.add_job(
        video_id,
        JobKind.RENDITION,
        JobState.RUNNING,
        height=360,
        progress=0.5,
        started_at=now() - timedelta(seconds=100),
        estimate=200.0,
    )
    house.add_job(video_id, JobKind.RENDITION, height=720, estimate=400.0)
    house.publish(video_id, 240)
    return video_id


def job(house: House, video_id: str, height: int) -> int:
    """Return the id of a rendition's job."""

    def find(session: Any) -> int:
        return int(session.query(Job.id).filter_by(video_id=video_id, height=height).scalar())

    return house.database.read(find)


def test_what_scripts_are_told(underway: str, alice: Client) -> None:
    found = alice.get(f"/api/videos/{underway}/progress").json

    assert found["state"] == "processing"
    assert found["watchable"] is True
    assert 16 <= found["percent"] <= 18
    assert found["done_at"] > now().isoformat()
    assert found["heights"] == [240]
    page = f"/stream/{underway}"
    assert found["master"] == f"{page}/master.m3u8"
    assert found["poster"] == f"{page}/poster.jpg"
    assert found["storyboard"] == f"{page}/storyboard.vtt"
    assert found["words"] == f"Being prepared: {found['percent']} %, about 8 minutes left."
    assert [(s["kind"], s["height"], s["state"], s["words"]) for s in found["steps"]] == [
        ("check", None, "done", "Check: done"),
        ("thumbnails", None, "done", "Thumbnails: done"),
        ("rendition", 240, "done", "240p: done"),
        ("rendition", 360, "running", "360p: now, 50 %"),
        ("rendition", 720, "waiting", "720p: next"),
    ]
    video = alice.get(f"/api/videos/{underway}").json
    assert video["processing"].keys() == found.keys()
    assert video["urls"]["master"] == found["master"]


def test_the_watch_page_has_what_its_player_needs(underway: str, alice: Client) -> None:
    page = alice.get(f"/stream/{underway}").text

    for part in (
        f'data-master="/stream/{underway}/master.m3u8"',
        f'data-storyboard="/stream/{underway}/storyboard.vtt"',
        f'data-progress="/api/videos/{underway}/progress"',
        f'poster="/stream/{underway}/poster.jpg"',
        "360p: now, 50 %",
        "about 8 minutes left",
    ):
        assert part in page


def test_only_the_owner_sees_the_steps(
    underway: str, alice: Client, bob: Client, nobody: Client
) -> None:
    assert "360p: now" in alice.get(f"/stream/{underway}").text
    for client in (bob, nobody):
        page = client.get(f"/stream/{underway}").text
        assert "Being prepared" in page
        assert "360p: now" not in page


@pytest.mark.on_mysql
def test_the_library_shows_posters_and_what_is_under_way(
    house: House, put: Put, underway: str, alice: Client
) -> None:
    fresh = put()
    house.add_job(fresh, JobKind.CHECK)

    page = alice.get("/stream").text

    assert f'src="/stream/{underway}/poster.jpg"' in page
    assert f'src="/stream/{fresh}/poster.jpg"' not in page
    assert "Being prepared: 1" in page
    assert "Will be prepared after 1 other video" in page


def test_a_video_without_steps_is_ready(put: Put, alice: Client) -> None:
    video_id = put()

    assert alice.get(f"/api/videos/{video_id}/progress").json["state"] == "done"
    page = alice.get(f"/stream/{video_id}").text
    for part in ("data-progress", "data-master", "data-storyboard", "poster=", "processing"):
        assert part not in page


def test_who_is_told(
    house: House, put: Put, alice: Client, bob: Client, charlie: Client, nobody: Client
) -> None:
    for visibility, statuses in {
        "private": [200, 404, 404, 401],
        "members": [200, 200, 200, 401],
        "public": [200] * 4,
    }.items():
        path = f"/api/videos/{put(visibility=visibility)}/progress"
        for headers in ({}, LIVE):
            everybody = (alice, bob, charlie, nobody)
            assert [c.get(path, headers=headers).status_code for c in everybody] == statuses


# --- failed and rejected --------------------------------------------------------------------------


@pytest.mark.on_mysql
def test_a_failed_step_is_told_to_the_owner_and_tried_again(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    video_id = put(visibility="members")
    house.add_job(video_id, JobKind.CHECK, JobState.DONE, progress=1.0)
    fields = {"height": 720, "attempts": 3, "error": "The disk is full.", "log_tail": "x264 [err]"}
    failed = house.add_job(
        video_id, JobKind.RENDITION, JobState.FAILED, finished_at=now(), **fields
    )
    own, others = (client.get(f"/stream/{video_id}").text for client in (alice, bob))
    for part in ("720p: failed", "The disk is full.", "x264 [err]", f"{video_id}/process"):
        assert part in own
        assert part not in others
    steps = [c.get(f"/api/videos/{video_id}/progress").json["steps"][1] for c in (alice, bob)]
    assert steps[0]["detail"] == "x264 [err]"
    assert "detail" not in steps[1]
    assert "error" not in steps[1]

    answer = alice.post(f"/stream/{video_id}/process")

    assert answer.status_code == 303
    assert "It is being tried again." in alice.get(answer.location).text
    row = house.database.read(lambda session: session.get_one(Job, failed))
    assert (row.state, row.attempts) == (JobState.WAITING, 0)
    assert (row.error, row.log_tail, row.finished_at) == (None, None, None)
    assert alice.get(f"/api/videos/{video_id}/progress").json["state"] == "processing"


def test_what_did_not_fail_is_left_alone(house: House, underway: str, alice: Client) -> None:
    before = house.database.read(lambda session: [repr(vars(j)) for j in session.query(Job)])

    assert alice.post(f"/stream/{underway}/process").status_code == 303

    after = house.database.read(lambda session: [repr(vars(j)) for j in session.query(Job)])
    assert len(before) == len(after)
    assert alice.get(f"/api/videos/{underway}/progress").json["steps"][3]["state"] == "running"


def test_only_the_owner_starts_it_again(
    put: Put, alice: Client, bob: Client, charlie: Client, nobody: Client
) -> None:
    path = f"/stream/{put(visibility='members')}/process"

    assert [c.post(path).status_code for c in (bob, charlie, nobody)] == [404, 404, 401]
    assert alice.get(path).status_code == 405


def test_a_rejected_video_is_its_owners_alone(
    put: Put, alice: Client, bob: Client, charlie: Client, nobody: Client
) -> None:
    why = "The file breaks off in the middle."
    video_id = put(visibility="public", title="Broken video", rejection_reason=why)
    page = alice.get(f"/stream/{video_id}").text

    assert why in page
    assert f"/stream/{video_id}/delete" in page
    assert "<video" not in page
    assert why in alice.get("/stream").text
    described = alice.get(f"/api/videos/{video_id}").json
    assert described["processing"]["state"] == "refused"
    assert described["processing"]["words"] == why
    assert described["processing"]["watchable"] is False
    assert described["urls"] == {"page": f"/stream/{video_id}"}
    for client in (bob, charlie):
        assert client.get(f"/stream/{video_id}").status_code == 404
        assert client.get(f"/api/videos/{video_id}").status_code == 404
        assert client.get(f"/api/videos/{video_id}/progress").status_code == 404
        assert "Broken video" not in client.get("/stream").text
        assert client.get("/api/videos").json["videos"] == []
    assert nobody.get(f"/api/videos/{video_id}").status_code == 401
    assert alice.post(f"/stream/{video_id}/process").status_code == 409
    assert alice.post(f"/stream/{video_id}/delete").status_code == 303


# --- live -----------------------------------------------------------------------------------------


def test_a_stream_tells_each_change_once_and_ends_when_all_is_done(
    house: House, underway: str, alice: Client
) -> None:
    stream = Stream(alice, f"/api/videos/{underway}/progress")

    assert stream.answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert stream.answer.headers["X-Accel-Buffering"] == "no"
    assert stream.answer.headers["Cache-Control"] == "no-store"
    assert stream.event()["heights"] == [240]
    for height in (360, 720):
        house.change(Job, job(house, underway, height), state=JobState.DONE, finished_at=now())
        house.publish(underway, height)
    while (last := stream.event())["state"] != "done":
        pass
    assert last["heights"] == [240, 360, 720]
    assert last["words"] == "Everything is prepared."
    assert stream.is_over()


def test_a_stream_ends_with_the_access_to_its_video(
    house: House, underway: str, alice: Client, bob: Client
) -> None:
    stream = Stream(bob, f"/api/videos/{underway}/progress")
    stream.event()

    assert alice.patch(f"/api/videos/{underway}", json={"visibility": "private"}).status_code == 200

    assert stream.is_over()


def test_a_stream_ends_with_the_session_of_its_reader(
    house: House, underway: str, alice: Client
) -> None:
    house.change(Video, underway, visibility="private")
    stream = Stream(alice, f"/api/videos/{underway}/progress")
    stream.event()

    house.sessions.end(house.tokens["alice"])

    assert stream.is_over()


@pytest.mark.parametrize("store", ["database", "sessions"])
def test_a_stream_ends_when_a_store_is_away(
    underway: str, alice: Client, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    stream = Stream(alice, f"/api/videos/{underway}/progress")
    stream.event()

    def fail(*_: object) -> None:
        raise DatabaseUnavailable("away") if store == "database" else RedisConnectionError("away")

    if store == "database":
        monkeypatch.setattr(Database, "read", fail)
    else:
        monkeypatch.setattr(SessionStore, "find", fail)

    assert stream.is_over()


def test_streams_share_what_is_read_of_their_videos(
    house: House,
    put: Put,
    underway: str,
    alice: Client,
    bob: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(followed, "_MAX_AGE", 60.0)
    other = put(visibility="public")
    house.add_job(other, JobKind.CHECK)
    path = f"/api/videos/{underway}/progress"
    first = Stream(alice, path).event()
    # Another video is read beside those that are known.
    assert Stream(alice, f"/api/videos/{other}/progress").event()["state"] == "waiting"
    bobs = Stream(bob, path)

    def fail(*_: object) -> None:
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(Database, "read", fail)

    told = bobs.event()
    assert told["percent"] == first["percent"]


def test_a_stream_of_a_rejected_video_tells_its_owner_and_ends(put: Put, alice: Client) -> None:
    video_id = put(visibility="public", rejection_reason="The file breaks off in the middle.")
    stream = Stream(alice, f"/api/videos/{video_id}/progress")

    assert stream.event()["state"] == "refused"
    assert stream.is_over()


def test_a_stream_ends_with_its_video(underway: str, alice: Client, bob: Client) -> None:
    stream = Stream(bob, f"/api/videos/{underway}/progress")
    stream.event()

    assert alice.post(f"/stream/{underway}/delete").status_code == 303

    assert stream.is_over()


def test_a_stream_ends_when_its_process_is_told_to(underway: str, alice: Client) -> None:
    stream = Stream(alice, f"/api/videos/{underway}/progress")
    stream.event()
    shutdown.set_shutdown_check(lambda: True)
    try:
        assert stream.is_over()
    finally:
        shutdown.set_shutdown_check(lambda: False)


@pytest.mark.on_mysql
def test_between_two_looks_no_connection_is_held(
    house: House, underway: str, alice: Client
) -> None:
    stream = Stream(alice, f"/api/videos/{underway}/progress")
    stream.event()

    pools = [
        app.extensions["matinee"].stores.database.engine.pool for app in house.site.apps.values()
    ]
    assert [pool.checkedout() for pool in pools] == [0, 0, 0]  # type: ignore[attr-defined]


def test_an_account_has_four_streams_and_polls_beyond(
    underway: str, alice: Client, bob: Client, nobody: Client
) -> None:
    path = f"/api/videos/{underway}/progress"
    streams = [Stream(alice, path) for _ in range(CLIENT_LIMIT)]
    for stream in streams[:3]:
        stream.event()

    refused = alice.get(path, headers=LIVE)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"]
    assert alice.get(path).status_code == 200
    assert Stream(bob, path).answer.status_code == 200

    streams[0].answer.close()
    streams[-1].answer.close()  # nothing of this one was read
    assert [Stream(alice, path).answer.status_code for _ in range(3)] == [200, 200, 429]


def test_signed_out_an_address_has_four_streams(
    house: House, underway: str, nobody: Client
) -> None:
    path = f"/api/videos/{underway}/progress"
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}

    statuses = [Stream(nobody, path).answer.status_code for _ in range(CLIENT_LIMIT + 1)]

    assert statuses == [200] * CLIENT_LIMIT + [429]
    assert nobody.get(path, headers=LIVE, environ_base=elsewhere, buffered=False).status_code == 200


def test_a_process_has_so_many_streams(house: House, underway: str, alice: Client) -> None:
    house.services.event_streams = EventStreamLimits(total=1)
    path = f"/api/videos/{underway}/progress"

    first = Stream(alice, path)

    refused = alice.get(path, headers=LIVE)
    assert refused.status_code == 503
    assert refused.headers["Retry-After"]
    first.answer.close()
    assert Stream(alice, path).answer.status_code == 200


def test_a_quiet_line_says_that_it_is_open() -> None:
    reads = iter([{"a": {"state": "waiting"}}] * 5 + [{}])

    sent = list(progress.changes(lambda: next(reads), pause=lambda _: None))

    assert sent == [("a", {"state": "waiting"}), None, None]


def test_a_page_of_videos_is_followed_at_once(
    house: House, put: Put, underway: str, alice: Client, bob: Client
) -> None:
    hidden = put()
    house.add_job(hidden, JobKind.CHECK)
    path = f"/api/videos/progress?ids={underway},{hidden},{'A' * 22}"

    assert set(alice.get(path).json["videos"]) == {underway, hidden}
    assert set(bob.get(path).json["videos"]) == {underway}
    stream = Stream(alice, path)
    assert {stream.event()["id"] for _ in range(2)} == {underway, hidden}


@pytest.mark.parametrize("ids", ["x", "..,x", ",".join("A" * 22 for _ in range(33))])
def test_other_lists_of_videos_are_422(alice: Client, nobody: Client, ids: str) -> None:
    assert alice.get(f"/api/videos/progress?ids={ids}").status_code == 422
    assert nobody.get(f"/api/videos/progress?ids={ids}").status_code == 401


def test_what_browsers_cannot_play_waits_for_a_rendition(
    house: House, put: Put, alice: Client
) -> None:
    video_id = put(playable=False, container="mkv", video_codec="vp9")
    house.add_job(video_id, JobKind.CHECK, JobState.DONE)
    house.add_job(video_id, JobKind.AUDIO, JobState.DONE)
    house.add_job(video_id, JobKind.RENDITION, JobState.RUNNING, height=240, estimate=10.0)

    page = alice.get(f"/stream/{video_id}").text
    told = alice.get(f"/api/videos/{video_id}").json
    assert "This video is being prepared." in page
    assert 'id="processing-meter"' in page
    assert "<video" not in page
    assert "Still processing" not in page
    assert "Being prepared" in alice.get("/stream").text
    assert told["processing"]["watchable"] is False
    assert set(told["urls"]) == {"page", "download"}
    assert alice.get(f"/stream/{video_id}/video.mp4").status_code == 404
    assert alice.get(f"/stream/{video_id}/download").status_code == 200

    house.publish(video_id, 240)

    page = alice.get(f"/stream/{video_id}").text
    told = alice.get(f"/api/videos/{video_id}").json
    assert told["processing"]["watchable"] is True
    assert "media" not in told["urls"]
    assert f'data-master="/stream/{video_id}/master.m3u8"' in page
    assert "<video" in page
    assert "video.mp4" not in page
    assert "Without JavaScript this video plays in Safari" in page


def test_what_could_not_be_prepared_and_cannot_be_played_says_so(
    house: House, put: Put, alice: Client
) -> None:
    video_id = put(playable=False, container="webm")
    rendition = house.add_job(video_id, JobKind.RENDITION, JobState.FAILED, height=240)

    page = alice.get(f"/stream/{video_id}").text

    assert "This video could not be prepared." in page
    assert "browsers do not play the file as it is" in page
    assert "Try again" in page
    house.change(Job, rendition, state=JobState.DONE)
    house.add_job(video_id, JobKind.RENDITION, JobState.FAILED, height=360)
    house.publish(video_id, 240)
    assert "What there is can be watched." in alice.get(f"/stream/{video_id}").text


def test_a_stream_speaks_the_readers_language(alice: Client, underway: str) -> None:
    alice.post("/language", data={"language": "de"})
    stream = Stream(alice, f"/api/videos/{underway}/progress")
    assert stream.event()["words"].startswith("Wird verarbeitet")
    stream.answer.close()
