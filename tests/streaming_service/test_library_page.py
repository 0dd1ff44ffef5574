"""The page of the library: its rows, its parts, how it is shown, and what a search may mean."""

import re

import pytest

from db.models import Position, Video
from tests.conftest import Client

from .conftest import House, Put


def row(page: str, heading: str) -> list[str]:
    """Return the ids of the videos in one of the rows on top of a page."""
    found = re.search(f'aria-labelledby="{heading}".*?</section>', page, re.DOTALL)
    return re.findall(r'data-video="(.{22})"', found[0]) if found else []


@pytest.mark.on_mysql
def test_the_rows_show_what_is_shared_and_what_is_new_to_one(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    shared, new, begun = put(), put(visibility="members"), put(visibility="members")
    own = house.put("bob", visibility="members")
    house.grant("bob", video_id=shared, granted_by_id=house.viewers["alice"].id)
    bob.put(f"/api/videos/{begun}/position", json={"position_ms": 20_000})

    page = bob.get("/stream").text
    assert row(page, "continue") == [begun]
    assert row(page, "shared-with-me") == [shared]
    assert row(page, "new-videos") == [new]
    assert page.count(">New<") == 2  # the heading, and the badge of what was shared
    page = alice.get("/stream").text
    assert row(page, "new-videos") == [own]
    assert row(page, "shared-with-me") == []


def test_a_part_has_only_cards_and_the_way_on(put: Put, alice: Client) -> None:
    for _ in range(60):
        put()
    page = alice.get("/stream").text
    assert "60 videos" in page
    more = re.search(r'href="([^"]*)"\s+rel="next"', page)
    assert more is not None

    part = alice.get(f"{more[1]}&part=cards").text
    assert "<html" not in part
    assert part.count('class="video-card"') == 24
    rest = alice.get(f"{more[1]}&part=cards&count=480").text
    assert rest.count('class="video-card"') == 36
    assert 'rel="next"' not in rest
    shown = re.findall(r'data-video="(.{22})"', page.partition('id="library"')[2] + rest)
    assert len(set(shown)) == 60


def test_the_browser_keeps_how_lists_are_shown(put: Put, alice: Client) -> None:
    put()
    assert 'class="videos grid"' in alice.get("/stream").text
    assert 'class="videos rows"' in alice.get("/stream?view=list").text
    assert 'class="videos rows"' in alice.get("/stream").text
    assert 'class="videos rows"' in alice.get("/stream?view=x").text
    assert 'class="videos grid"' in alice.get("/stream?view=grid").text
    assert 'class="videos grid"' in alice.get("/stream").text


def test_a_video_that_was_watched_to_its_end_is_marked(
    house: House, put: Put, alice: Client
) -> None:
    video_id = put(duration_ms=600_000)
    path = f"/api/videos/{video_id}/position"
    alice.put(path, json={"position_ms": 599_000})
    assert "Watched" in alice.get("/stream").text

    alice.put(path, json={"position_ms": 60_000})
    page = alice.get("/stream").text
    assert "You watched 10 %" in page
    assert ">Watched<" not in page
    place = (house.viewers["alice"].id, video_id)
    kept = house.database.read(lambda session: session.get_one(Position, place))
    assert kept.finished_at is not None


def test_the_menu_of_a_card_has_what_one_may_do(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    video_id = put(visibility="members")
    page = alice.get("/stream").text
    for path in ("access", "edit", "download", "delete"):
        assert f'"/stream/{video_id}/{path}"' in page
    page = bob.get("/stream").text
    assert f'"/stream/{video_id}"' in page
    for path in ("access", "edit", "download", "delete"):
        assert f'"/stream/{video_id}/{path}"' not in page


def suggested(client: Client, text: str) -> list[tuple[str, str]]:
    """Return what a text may mean: kinds and words."""
    found = client.get("/api/videos/suggestions", query_string={"q": text}).json["suggestions"]
    return [(one["kind"], one["text"]) for one in found]


@pytest.mark.on_mysql
def test_suggestions_are_of_what_one_may_see(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    public = put(title="Le passé composé", visibility="members")
    hidden = put(title="Passwords")
    house.collection("alice", public, title="Passé 7b")
    alice.patch(f"/api/videos/{public}", json={"tags": ["Passage"]})
    alice.patch(f"/api/videos/{hidden}", json={"tags": ["passport"]})

    assert suggested(bob, "passe") == [("video", "Le passé composé")]
    assert suggested(bob, "COMPOSE pas") == [("video", "Le passé composé")]
    assert suggested(bob, "pass") == [("video", "Le passé composé"), ("tag", "Passage")]
    assert set(suggested(alice, "pass")) == {
        ("video", "Le passé composé"),
        ("video", "Passwords"),
        ("tag", "Passage"),
        ("tag", "passport"),
        ("collection", "Passé 7b"),
    }
    assert suggested(bob, "ali") == [("person", "alice")]
    assert suggested(alice, "bo") == []
    assert suggested(bob, " ") == suggested(bob, "") == []


def test_a_list_can_be_of_one_person(house: House, put: Put, alice: Client, bob: Client) -> None:
    put(title="hers", visibility="members")
    house.put("bob", title="his", visibility="members")

    def titles(query: str) -> list[str]:
        return [video["title"] for video in alice.get(f"/api/videos?{query}").json["videos"]]

    assert titles("by=BOB") == ["his"]
    assert titles("by=alice") == ["hers"]
    assert titles("by=nobody") == []


@pytest.mark.on_mysql
def test_a_script_moves_many_videos_and_takes_them_back(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    ids = [put() for _ in range(30)]
    theirs = house.put("bob", visibility="members")

    def change(do: str) -> tuple[set[str], int]:
        form = {"do": do, "video": [*ids, theirs]}
        headers = {"Accept": "application/json"}
        answer = alice.post("/stream/selection", data=form, headers=headers).json
        return set(answer["changed"]), answer["refused"]

    assert change("delete") == (set(ids), 1)
    assert change("delete") == (set(), 31)
    assert alice.get("/api/bin").json["next"] is not None
    assert change("restore") == (set(ids), 1)
    assert alice.get("/api/bin").json["videos"] == []
    binned = house.database.read(
        lambda session: session.query(Video).filter(Video.binned_at.is_not(None)).count()
    )
    assert binned == 0
