"""Videos for scripts: the rules of the pages, as JSON."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from db.models import Visibility, now
from streaming_service.videos.library import PAGE
from tests.conftest import Client

from .conftest import House, Put


def test_the_shape_of_a_video(put: Put, alice: Client) -> None:
    moment = datetime(2026, 11, 14, 12, 30, 0, 250_000, tzinfo=UTC)
    video_id = put(title="Sea", description="Waves", created_at=moment, audio_codec=None)

    answer = alice.get(f"/api/videos/{video_id}")

    assert answer.status_code == 200
    assert answer.json == {
        "id": video_id,
        "title": "Sea",
        "description": "Waves",
        "owner": "alice",
        "tags": [],
        "visibility": "private",
        "downloadable": False,
        "size": 1000,
        "duration_ms": 61_000,
        "width": 1280,
        "height": 720,
        "video_codec": "avc1.64001f",
        "audio_codec": None,
        "sha256": None,
        "binned_at": None,
        "created_at": "2026-11-14T12:30:00.250000+00:00",
        "position_ms": 0,
        "processing": {
            "state": "done",
            "watchable": True,
            "percent": 100,
            "done_at": None,
            "place": None,
            "steps": [],
            "heights": [],
            "master": None,
            "poster": None,
            "storyboard": None,
            "words": "Everything is prepared.",
        },
        "captions": [],
        "urls": {
            "page": f"/stream/{video_id}",
            "media": f"/stream/{video_id}/video.mp4",
            "download": f"/stream/{video_id}/download",
        },
    }


def test_the_receipt_is_the_owners(put: Put, alice: Client, bob: Client) -> None:
    video_id = put(visibility=Visibility.PUBLIC, sha256="ab" * 32)

    assert alice.get(f"/api/videos/{video_id}").json["sha256"] == "ab" * 32
    assert "ab" * 32 in alice.get(f"/stream/{video_id}").text

    assert "sha256" not in bob.get(f"/api/videos/{video_id}").json
    assert "SHA-256" not in bob.get(f"/stream/{video_id}").text


def test_a_receipt_that_is_not_known_yet_is_said_to_come(put: Put, alice: Client) -> None:
    assert "is being computed" in alice.get(f"/stream/{put()}").text


def test_the_list_goes_on_until_there_is_no_next(put: Put, alice: Client) -> None:
    ids = {put() for _ in range(PAGE + 1)}

    first = alice.get("/api/videos").json
    second = alice.get("/api/videos", query_string={"after": first["next"]}).json

    assert {video["id"] for video in first["videos"] + second["videos"]} == ids
    assert second["next"] is None


@pytest.mark.on_mysql
def test_the_list_is_searched_and_sorted(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    for title in ("b", "a", "c sea"):
        put(title=title)
    house.put("bob", "members", title="d")

    def titles(query: str) -> list[str]:
        return [video["title"] for video in alice.get(f"/api/videos?{query}").json["videos"]]

    assert titles("sort=title") == ["a", "b", "c sea", "d"]
    assert titles("sort=oldest&whose=mine") == ["b", "a", "c sea"]
    assert titles("q=sea") == ["c sea"]
    assert titles("q=BOB") == ["d"]


@pytest.mark.parametrize(
    "query", ["sort=x", "whose=x", "after=x", "after=", "sort=", f"q={'x' * 201}"]
)
def test_a_wrong_parameter_is_named(alice: Client, query: str) -> None:
    answer = alice.get(f"/api/videos?{query}")

    assert answer.status_code == 422
    assert answer.json["error"]


def test_who_may_do_what(
    put: Put, alice: Client, bob: Client, charlie: Client, nobody: Client
) -> None:
    everybody = (alice, bob, charlie, nobody)
    get = {"private": [200, 404, 404, 401], "members": [200, 200, 200, 401], "public": [200] * 4}
    for visibility, statuses in get.items():
        path = f"/api/videos/{put(visibility=visibility)}"
        patched = [c.patch(path, json={"title": "New"}).status_code for c in everybody]
        assert [c.get(path).status_code for c in everybody] == statuses
        assert patched == [200, 404, 404, 401]
        taken_down = 404 if visibility == "private" else 204
        deleted = [c.delete(path).status_code for c in (nobody, bob, charlie)]
        assert deleted == [401, 404, taken_down]
    assert nobody.get("/api/videos").status_code == 401


def test_what_is_missing_looks_like_what_is_not_yours(
    put: Put, bob: Client, nobody: Client
) -> None:
    for client, status in ((bob, 404), (nobody, 401)):
        for method in ("GET", "PATCH", "DELETE"):
            answers = [
                client.open(f"/api/videos/{i}", method=method, json={})
                for i in (put(), put(deleted_at=now()), "A" * 22)
            ]
            assert {answer.status_code for answer in answers} == {status}
            assert len({answer.text for answer in answers}) == 1


@pytest.mark.on_mysql
def test_patch_changes_what_is_given(put: Put, alice: Client) -> None:
    path = f"/api/videos/{put(description='Waves')}"

    answer = alice.patch(path, json={"title": " New\n", "visibility": "public"})

    assert answer.json["title"] == "New"
    assert answer.json["visibility"] == "public"
    assert answer.json["description"] == "Waves"
    assert alice.get(path).json == answer.json
    assert alice.patch(path, json={}).json == answer.json


@pytest.mark.on_mysql
@pytest.mark.parametrize(
    "body",
    [
        {"title": ""},
        {"title": "x" * 201},
        {"title": None},
        {"title": ["x"]},
        {"title": 1},
        {"description": "x" * 5001},
        {"visibility": "nobody"},
        {"owner": "bob"},
        {"id": "A" * 22},
        {"title": "New", "size": 1},
        [],
        "text",
        None,
    ],
    ids=str,
)
def test_patch_refuses_what_it_does_not_know(
    house: House, put: Put, alice: Client, body: object
) -> None:
    video_id = put(title="Before")

    assert alice.patch(f"/api/videos/{video_id}", json=body).status_code == 422
    assert house.video(video_id).title == "Before"


def test_bodies_that_are_no_json(put: Put, alice: Client) -> None:
    path = f"/api/videos/{put()}"

    assert alice.patch(path, data={"title": "x"}).status_code == 422
    assert alice.patch(path, data="{", content_type="application/json").status_code == 422
    assert alice.patch(path, data=b"\xff", content_type="application/json").status_code == 422
    assert alice.patch(path, data="{}", content_type="text/plain").status_code == 403
    half = '{"title": "\\ud800"}'
    assert alice.patch(path, data=half, content_type="application/json").status_code == 422
    deep = "[" * 20_000
    assert alice.patch(path, data=deep, content_type="application/json").status_code == 422


def test_delete_answers_with_nothing(put: Put, alice: Client) -> None:
    path = f"/api/videos/{put()}"

    for query in ("", "?permanently=1"):
        answer = alice.delete(f"{path}{query}")
        assert (answer.status_code, answer.text) == (204, "")
        assert alice.delete(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/videos", ["POST", "PUT", "DELETE", "PATCH"]),
        ("/api/videos/" + "A" * 22, ["POST", "PUT"]),
    ],
)
def test_other_methods_are_405_as_json(alice: Client, path: str, methods: list[str]) -> None:
    for method in methods:
        answer = alice.open(path, method=method)
        assert answer.status_code == 405
        assert answer.headers["Allow"]
        assert answer.json["error"]


@pytest.mark.parametrize("path", ["x", "..", "%2e%2e", "..;", "\\", "%00", "A" * 23, ""])
def test_hostile_paths(alice: Client, path: str) -> None:
    answer = alice.get(f"/api/videos/{path}")

    assert answer.status_code in (400, 404)
    assert answer.is_json


def test_the_owner_decides_whether_others_may_download(
    put: Put, alice: Client, bob: Client
) -> None:
    video_id = put(visibility="members")
    original, path = f"/stream/{video_id}/download", f"/api/videos/{video_id}"

    def offered(client: Client) -> list[bool]:
        urls = client.get(path).json["urls"]
        page = client.get(f"/stream/{video_id}").text
        fetched = client.get(original).status_code
        return ["download" in urls, f'href="{original}"' in page, fetched == 200]

    assert offered(alice) == [True] * 3
    assert offered(bob) == [False] * 3

    assert alice.patch(path, json={"downloadable": True}).json["downloadable"] is True
    assert offered(bob) == [True] * 3

    assert alice.patch(path, json={"downloadable": False}).json["downloadable"] is False
    assert offered(bob) == [False] * 3
    for wrong in ("yes", 1, None):
        assert alice.patch(path, json={"downloadable": wrong}).status_code == 422


def test_a_video_that_is_not_measured_yet_has_no_length(
    put: Callable[..., str], alice: Client
) -> None:
    unknown = dict.fromkeys(("duration_ms", "width", "height", "video_codec", "audio_codec"))
    video_id = put(playable=False, container="mkv", **unknown)

    told = alice.get(f"/api/videos/{video_id}").json
    assert {name: told[name] for name in unknown} == unknown
    for page in ("/stream", f"/stream/{video_id}"):
        text = alice.get(page)
        assert text.status_code == 200
        assert "Length:" not in text.text
