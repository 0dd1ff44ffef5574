"""The library, the watch page, and the form that edits a video, as browsers meet them."""

import re

import pytest
from redis import Redis

from db.engine import Database, DatabaseUnavailable
from db.models import Role, Visibility, now
from streaming_service.videos.library import PAGE
from tests.conftest import Client

from .conftest import House, Put

FORM = {"title": "New title", "description": "New words", "visibility": "members"}
PAGES = ("", "/edit")


def test_the_library_needs_a_sign_in(nobody: Client) -> None:
    answer = nobody.get("/stream?q=sea")

    assert answer.status_code == 303
    assert answer.location == "/login?next=/stream%3Fq%3Dsea"


def test_the_library_shows_own_videos_and_shared_ones(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    put(title="Private of Alice")
    put(title="Shared by Alice", visibility="members")
    house.put("bob", title="Private of Bob")

    page = bob.get("/stream").text

    assert "Private of Bob" in page
    assert "Shared by Alice" in page
    assert "Private of Alice" not in page
    assert "Shared by Alice" not in bob.get("/stream?whose=mine").text
    assert "Private of Bob" not in bob.get("/stream?q=alice").text


def test_titles_are_escaped_everywhere(put: Put, alice: Client) -> None:
    title = "<script>alert('x')</script>\"{{7*7}}"
    video_id = put(title=title, description=title)

    for path in ("/stream", f"/stream/{video_id}", f"/stream/{video_id}/edit"):
        page = alice.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page
        assert "49" not in re.findall(r"alert.{0,60}", page)[0]


@pytest.mark.on_mysql
def test_the_library_goes_on_to_further_pages(put: Put, alice: Client) -> None:
    for number in range(PAGE + 3):
        put(title=f"Sea {number}?&")

    first = alice.get("/stream?q=sea+%3F&sort=title").text
    found = re.search(r'href="(/stream\?[^"]*after=[^"]*)"', first)
    assert found is not None
    second = alice.get(found[1].replace("&amp;", "&")).text

    titles = [re.findall(r"Sea \d+", page) for page in (first, second)]
    assert len(set(titles[0] + titles[1])) == PAGE + 3
    assert "after=" not in second


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "after=",
        "after=WyJuZXdlc3QiLDEsIngiXQ==",
        "sort=x",
        "whose=x",
        "sort=&whose=",
        "q=%00",
        "q=%ff",
        "q=%F0%9F%98%80",
        "q=" + "a+" * 900,
        "q=a&q=b&sort=title&sort=oldest",
    ],
)
def test_an_address_that_makes_no_sense_shows_the_library(alice: Client, query: str) -> None:
    assert alice.get(f"/stream?{query}").status_code == 200


def test_who_may_open_the_pages_of_a_video(
    put: Put, alice: Client, bob: Client, charlie: Client, nobody: Client
) -> None:
    """Charlie is an administrator: what is private stays closed, and nobody's is theirs to edit."""
    watch = {"private": [200, 404, 404, 303], "members": [200, 200, 200, 303], "public": [200] * 4}
    for visibility, statuses in watch.items():
        path = f"/stream/{put(visibility=visibility)}"
        everybody = (alice, bob, charlie, nobody)
        assert [c.get(path).status_code for c in everybody] == statuses
        assert [c.get(f"{path}/edit").status_code for c in everybody] == [200, 404, 404, 303]
        assert [c.post(f"{path}/edit", data=FORM).status_code for c in everybody[1:]] == [
            404,
            404,
            401,
        ]


def test_signed_out_a_private_video_looks_like_none(put: Put, nobody: Client) -> None:
    for there, missing in ((put(), "A" * 22), (put(deleted_at=now()), "B" * 22)):
        for page in PAGES:
            answers = [nobody.get(f"/stream/{i}{page}") for i in (there, missing)]
            assert [a.status_code for a in answers] == [303, 303]
            assert answers[0].location == f"/login?next=/stream/{there}{page}"
            assert answers[0].text.replace(there, missing) == answers[1].text


def test_signed_in_a_private_video_looks_like_none(put: Put, bob: Client) -> None:
    for page in PAGES:
        answers = [bob.get(f"/stream/{i}{page}") for i in (put(), "A" * 22)]
        assert answers[0].status_code == 404
        assert answers[0].text == answers[1].text


def test_the_watch_page_plays_and_offers_what_one_may_do(
    put: Put, alice: Client, bob: Client, charlie: Client
) -> None:
    video_id = put(visibility="members", title="Sea", description="Waves")
    own, others, administrators = (
        client.get(f"/stream/{video_id}").text for client in (alice, bob, charlie)
    )

    assert f'src="/stream/{video_id}/video.mp4"' in own
    assert "Waves" in own
    edits, deletes = f"/stream/{video_id}/edit", f"/stream/{video_id}/delete"
    assert [edits in page for page in (own, others, administrators)] == [True, False, False]
    assert [deletes in page for page in (others, administrators)] == [False, True]


def test_pages_are_kept_by_nobody(put: Put, alice: Client) -> None:
    for path in ("/stream", f"/stream/{put()}"):
        answer = alice.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers


def test_editing(house: House, put: Put, alice: Client) -> None:
    video_id = put()
    assert "A day at the sea" in alice.get(f"/stream/{video_id}/edit").text

    answer = alice.post(f"/stream/{video_id}/edit", data=FORM)

    assert answer.status_code == 303
    video = house.video(video_id)
    assert (video.title, video.description) == ("New title", "New words")
    assert video.visibility is Visibility.MEMBERS
    assert "Your changes are saved." in alice.get(answer.location).text


def test_the_form_switches_downloads(house: House, put: Put, alice: Client) -> None:
    video_id = put()
    path = f"/stream/{video_id}/edit"
    ticked = re.compile(r'name="downloadable"\s+checked')
    assert not ticked.search(alice.get(path).text)

    alice.post(path, data=FORM | {"downloadable": "on"})
    assert house.video(video_id).downloadable
    assert ticked.search(alice.get(path).text)

    alice.post(path, data=FORM)
    assert not house.video(video_id).downloadable


def test_a_form_that_is_wrong_comes_back_as_it_was_filled_in(
    house: House, put: Put, alice: Client
) -> None:
    video_id = put()

    answer = alice.post(f"/stream/{video_id}/edit", data=FORM | {"title": " "})

    assert answer.status_code == 422
    assert "Give the video a title." in answer.text
    assert "New words" in answer.text
    assert house.video(video_id).description == ""


@pytest.mark.on_mysql
def test_the_longest_form_fits(house: House, put: Put, alice: Client) -> None:
    video_id = put()
    form = FORM | {"title": "😀" * 200, "description": "😀" * 5000}

    assert alice.post(f"/stream/{video_id}/edit", data=form).status_code == 303
    assert len(house.video(video_id).description) == 5000


def test_forms_of_another_shape(put: Put, alice: Client) -> None:
    path = f"/stream/{put()}/edit"

    assert alice.post(path, json=FORM).status_code == 422
    assert alice.post(path, data={"title": "x"}).status_code == 422
    assert alice.post(path, data=FORM | {"title": ["a", "b"]}).status_code == 422
    assert alice.post(path, data="x", content_type="text/plain").status_code == 403
    assert alice.post(path, data=FORM | {"description": "x" * 70_000}).status_code == 413


def test_who_may_delete(
    house: House, put: Put, bob: Client, charlie: Client, nobody: Client
) -> None:
    for visibility, statuses in {
        "private": [401, 404, 404],
        "members": [401, 404, 303],
        "public": [401, 404, 303],
    }.items():
        path = f"/stream/{put(visibility=visibility)}/delete"
        assert [c.post(path).status_code for c in (nobody, bob, charlie)] == statuses


def test_deleting_what_is_somebody_elses_goes_back_to_all_videos(put: Put, charlie: Client) -> None:
    answer = charlie.post(f"/stream/{put(visibility='public')}/delete")

    assert answer.location == "/stream?done=taken-down"
    assert "The video is deleted. It is in its owner&#39;s bin" in charlie.get(answer.location).text


def test_a_viewer_without_videos_is_told_why(house: House) -> None:
    viewer = house.join("vera", Role.VIEWER)
    page = viewer.get("/stream?whose=mine").text

    assert "Your account can watch videos, but not upload any." in page
    assert "shares them with you" not in viewer.get("/stream").text


def test_nothing_changes_by_being_looked_at(house: House, put: Put, alice: Client) -> None:
    video_id = put()

    assert alice.get(f"/stream/{video_id}/delete").status_code == 405
    assert house.video(video_id).deleted_at is None


@pytest.mark.parametrize("page", ["edit", "delete"])
def test_another_site_changes_nothing(house: House, put: Put, alice: Client, page: str) -> None:
    video_id = put()

    answer = alice.post(
        f"/stream/{video_id}/{page}", data=FORM, headers={"Origin": "https://evil.example"}
    )

    assert answer.status_code == 403
    assert house.video(video_id).deleted_at is None
    assert house.video(video_id).title != "New title"


def test_a_stranger_cannot_keep_a_video_out_of_the_cache(
    put: Put, bob: Client, redis: Redis
) -> None:
    video_id = put(visibility="public")

    bob.post(f"/stream/{video_id}/delete")
    bob.post(f"/stream/{video_id}/edit", data=FORM)

    assert redis.get(f"video:{video_id}") is None


def test_without_the_database_pages_are_503(
    put: Put, alice: Client, nobody: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DatabaseUnavailable("away")

    path = f"/stream/{put()}"
    monkeypatch.setattr(Database, "read", fail)

    for client in (alice, nobody):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
