"""Choosing a poster: who may, what may be chosen, and what is queued."""

from io import BytesIO

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from db.models import POSTER_LIMIT, Job, JobKind, JobState, Level, PosterChoice
from tests.conftest import Client

from .conftest import House, Put

pytestmark = pytest.mark.on_mysql

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100


def choose(client: Client, video_id: str, at: str = "") -> TestResponse:
    """Send the form with a moment."""
    return client.post(f"/stream/{video_id}/poster", data={"at": at})


def send(client: Client, video_id: str, image: bytes) -> TestResponse:
    """Send the form with an image."""
    fields = {"file": FileStorage(BytesIO(image), "poster.png")}
    boundary, body = encode_multipart(fields)
    kind = f"multipart/form-data; boundary={boundary}"
    return client.post(f"/stream/{video_id}/poster", data=body, content_type=kind)


def choice(house: House, video_id: str) -> tuple[int | None, bytes | None] | None:
    """Return what is stored as chosen."""
    row = house.database.read(lambda session: session.get(PosterChoice, video_id))
    return None if row is None else (row.at_ms, row.image)


def job(house: House, video_id: str) -> Job:
    """Return the job that makes the poster."""
    wanted = {"video_id": video_id, "kind": JobKind.POSTER}
    return house.database.read(lambda session: session.query(Job).filter_by(**wanted).one())


@pytest.mark.parametrize(
    ("at", "at_ms"), [("0:01", 1000), ("1:00.5", 60_500), ("0:01:01", 61_000), ("7", 7000)]
)
def test_a_moment_is_chosen(house: House, put: Put, alice: Client, at: str, at_ms: int) -> None:
    video_id = put()

    answer = choose(alice, video_id, at)

    assert answer.status_code == 303
    assert "The new poster is being made." in alice.get(answer.location).text
    assert choice(house, video_id) == (at_ms, None)
    assert job(house, video_id).state is JobState.WAITING


def test_who_chooses_anew_takes_the_job_from_the_attempt_at_the_other(
    house: House, put: Put, alice: Client
) -> None:
    video_id = put()
    choose(alice, video_id, "0:01")
    made = job(house, video_id)
    house.change(Job, made.id, state=JobState.RUNNING, attempts=1, fence=4, worker="w-1")

    assert send(alice, video_id, PNG).status_code == 303

    assert choice(house, video_id) == (None, PNG)
    again = job(house, video_id)
    assert (again.id, again.state, again.attempts, again.worker) == (
        *(made.id, JobState.WAITING),
        *(0, None),
    )
    assert again.fence == 4


def test_a_poster_that_is_made_has_an_address_of_its_own(
    house: House, put: Put, alice: Client
) -> None:
    video_id = put(poster_version=2)
    house.add_job(video_id, JobKind.THUMBNAILS, JobState.DONE)
    url = f"/stream/{video_id}/poster.jpg?v=2"

    assert alice.get(f"/api/videos/{video_id}").json["urls"]["poster"] == url
    assert url in alice.get("/stream").text


def test_what_cannot_be_a_poster_is_refused(house: House, put: Put, alice: Client) -> None:
    video_id = put(duration_ms=61_000)
    for answer, sentence in (
        (choose(alice, video_id, "1:02"), "The video is shorter than that."),
        (choose(alice, video_id, "soon"), "such as 1:23"),
        (choose(alice, video_id), "Choose a moment, or an image."),
        (send(alice, video_id, b"GIF89a"), "Choose an image: JPEG, PNG or WebP."),
        (send(alice, video_id, PNG + b"x" * POSTER_LIMIT), "larger than 5 MB"),
    ):
        assert answer.status_code == 422
        assert sentence in answer.text
    assert choice(house, video_id) is None


def test_only_those_who_may_edit_choose(house: House, put: Put, alice: Client, bob: Client) -> None:
    video_id = put(visibility="public")
    assert choose(bob, video_id, "0:01").status_code == 404
    assert send(bob, video_id, PNG).status_code == 404

    house.grant("bob", Level.EDIT, video_id=video_id)
    assert choose(bob, video_id, "0:01").status_code == 303


def test_a_poster_that_is_being_made_does_not_make_the_video_unfinished(
    put: Put, alice: Client
) -> None:
    video_id = put()
    choose(alice, video_id, "0:01")

    assert alice.get(f"/api/videos/{video_id}").json["processing"]["state"] == "done"
    assert alice.get("/api/videos?state=processing").json["videos"] == []


def test_why_an_image_could_not_be_used_is_said(house: House, put: Put, alice: Client) -> None:
    video_id = put()
    send(alice, video_id, PNG)
    house.change(
        Job, job(house, video_id).id, state=JobState.FAILED, error="This image cannot be used."
    )

    assert "This image cannot be used." in alice.get(f"/stream/{video_id}/edit").text
