"""Where somebody stopped in a video: remembered, shown, forgotten."""

import re

import pytest
from sqlalchemy import select

from db.models import Position, User, Video, now
from streaming_service.videos.positions import is_over
from tests.conftest import Client

from .conftest import House, Put


def stopped(client: Client, video_id: str) -> int:
    """Return where a viewer goes on, in milliseconds."""
    return int(client.get(f"/api/videos/{video_id}").json["position_ms"])


def send(client: Client, video_id: str, position_ms: object) -> int:
    """Tell the site where a viewer is, and return the answer's status."""
    body = {"position_ms": position_ms}
    return client.put(f"/api/videos/{video_id}/position", json=body).status_code


@pytest.mark.on_mysql
def test_a_viewer_goes_on_where_they_stopped(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    video_id = put(visibility="members", duration_ms=600_000)

    assert send(alice, video_id, 60_000) == 204
    assert send(alice, video_id, 61_500) == 204
    assert send(bob, video_id, 9_000) == 204

    assert stopped(alice, video_id) == 61_500
    assert stopped(bob, video_id) == 9_000
    assert 'data-position="61.5"' in alice.get(f"/stream/{video_id}").text
    assert "You watched 10 %" in alice.get("/stream").text
    assert "You watched 1 %" in bob.get("/stream").text


@pytest.mark.parametrize("position_ms", [0, 570_000, 600_000, 10**12])
def test_at_the_start_and_the_end_there_is_nothing_to_go_on_from(
    put: Put, alice: Client, position_ms: int
) -> None:
    video_id = put(duration_ms=600_000)
    send(alice, video_id, 60_000)

    assert send(alice, video_id, position_ms) == 204
    assert send(alice, video_id, position_ms) == 204

    assert stopped(alice, video_id) == 0
    page = alice.get(f"/stream/{video_id}").text
    assert "data-position" not in page
    assert "data-remember" in page


@pytest.mark.parametrize(
    ("duration_ms", "last"),
    [(12_000, 9_000), (60_000, 45_000), (120_000, 105_000), (3_600_000, 3_420_000)],
)
def test_what_counts_as_the_end(duration_ms: int, last: int) -> None:
    assert not is_over(last - 1, duration_ms)
    assert is_over(last, duration_ms)


def test_a_page_that_closes_sends_a_beacon(put: Put, alice: Client) -> None:
    path = f"/api/videos/{put()}/position"
    body = '{"position_ms": 7000}'

    for kind in ("application/json", "text/plain;charset=UTF-8"):
        assert alice.post(path, data=body, content_type=kind).status_code == 204


def test_another_site_moves_nothing(house: House, put: Put, alice: Client) -> None:
    path = f"/api/videos/{put()}/position"
    body = '{"position_ms": 7000}'

    for kind in ("application/json", "text/plain"):
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            answer = alice.post(path, data=body, content_type=kind, headers=headers)
            assert answer.status_code == 403
    assert house.database.read(lambda session: session.scalars(select(Position)).all()) == []


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_other_types_are_not_taken(put: Put, alice: Client, kind: str) -> None:
    answer = alice.post(
        f"/api/videos/{put()}/position", data='{"position_ms": 7}', content_type=kind
    )

    assert answer.status_code == 415
    assert answer.json["error"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "7",
        "{}",
        '{"position_ms": "7"}',
        '{"position_ms": null}',
        '{"position_ms": true}',
        '{"position_ms": -1}',
        '{"position_ms": NaN}',
        '{"position_ms": 1e400}',
        '{"position_ms": 7, "user": 2}',
        f'{{"position_ms": 1{"0" * 60}}}',
    ],
)
def test_what_is_no_position_is_422(put: Put, alice: Client, body: str) -> None:
    path = f"/api/videos/{put()}/position"

    assert alice.put(path, data=body, content_type="application/json").status_code == 422


def test_a_body_that_is_too_long_is_413(put: Put, alice: Client) -> None:
    body = '{"position_ms": 7' + " " * 300 + "}"

    answer = alice.put(f"/api/videos/{put()}/position", data=body, content_type="application/json")

    assert answer.status_code == 413


def test_only_who_may_watch_has_a_position(
    put: Put, alice: Client, bob: Client, charlie: Client, nobody: Client
) -> None:
    for visibility, statuses in {
        "private": [204, 404, 404, 401],
        "members": [204, 204, 204, 401],
        "public": [204, 204, 204, 401],
    }.items():
        video_id = put(visibility=visibility)
        assert [send(c, video_id, 7000) for c in (alice, bob, charlie, nobody)] == statuses
    for gone in (
        put(deleted_at=now(), visibility="public"),
        "A" * 22,
        put(rejection_reason="Broken."),
    ):
        assert send(alice, gone, 7000) == 404


def continue_watching(client: Client, address: str = "/stream") -> list[str]:
    """Return the videos of the row "Continue watching", in their order."""
    _, row, rest = client.get(address).text.partition("Continue watching</h2>")
    return re.findall(r'data-video="([^"]+)"', rest.partition("</section>")[0]) if row else []


@pytest.mark.on_mysql
def test_the_library_begins_with_what_was_begun(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    assert continue_watching(alice) == []
    videos = [put(visibility="members", duration_ms=600_000) for _ in range(11)]
    assert continue_watching(alice) == []
    for video_id in videos:
        send(alice, video_id, 60_000)
        send(bob, video_id, 60_000)
    send(alice, videos[0], 30_000)
    send(alice, videos[10], 600_000)
    assert continue_watching(alice) == [videos[0], *videos[9:2:-1]]

    alice.delete(f"/api/videos/{videos[9]}")
    alice.patch(f"/api/videos/{videos[8]}", json={"visibility": "private"})
    house.change(Video, videos[7], rejection_reason="It is damaged.")
    assert continue_watching(alice) == [videos[0], videos[8], *videos[6:0:-1]]
    assert continue_watching(bob) == [videos[10], *videos[6:0:-1], videos[0]]
    for filtered in ("q=day", "whose=mine", "tag=x", "length=short"):
        assert continue_watching(alice, f"/stream?{filtered}") == []


@pytest.mark.on_mysql
def test_a_position_goes_with_its_user_or_video(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    kept, gone = put(visibility="members"), put(visibility="members")
    for client in (alice, bob):
        for video_id in (kept, gone):
            assert send(client, video_id, 7000) == 204

    def remove(table: type[Video] | type[User], identity: object) -> None:
        house.database.write(lambda session: session.delete(session.get_one(table, identity)))

    remove(Video, gone)
    remove(User, house.viewers["bob"].id)

    rows = house.database.read(lambda session: session.scalars(select(Position)).all())
    assert [(row.user_id, row.video_id) for row in rows] == [(house.viewers["alice"].id, kept)]
