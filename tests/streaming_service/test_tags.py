"""Tags, what lists are limited to, and changes of several videos at once."""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from common.ids import new_id
from db.models import (
    Grant,
    JobKind,
    JobState,
    Level,
    Position,
    Video,
)
from streaming_service.videos.tags import set_tags
from tests.conftest import Client

from .conftest import House, Put

pytestmark = pytest.mark.on_mysql


def found(client: Client, **parameters: str) -> list[str]:
    """Return the titles that a list has, sorted."""
    answer = client.get("/api/videos", query_string=parameters)
    assert answer.status_code == 200, answer.text
    return sorted(video["title"] for video in answer.json["videos"])


def test_tags_are_set_shown_and_replaced(put: Put, alice: Client, bob: Client) -> None:
    video_id = put(visibility="members")
    path = f"/api/videos/{video_id}"

    changed = alice.patch(path, json={"tags": [" Été  2026 ", "sea", "SEA"]})

    assert changed.json["tags"] == ["sea", "Été 2026"]
    assert bob.get(path).json["tags"] == ["sea", "Été 2026"]
    assert "/stream?tag=%C3%89t%C3%A9%202026" in bob.get(f"/stream/{video_id}").text
    assert 'value="sea, Été 2026"' in alice.get(f"/stream/{video_id}/edit").text
    form = {"title": "T", "description": "", "tags": "sea, beach,"}
    alice.post(f"/stream/{video_id}/edit", data=form)
    assert alice.get(path).json["tags"] == ["beach", "sea"]
    assert bob.patch(path, json={"tags": []}).status_code == 404


@pytest.mark.parametrize(
    "tags",
    [[""], ["a,b"], ["x" * 41], ["\ufdfa" * 40], [str(n) for n in range(21)], "sea", [1], None],
)
def test_a_wrong_tag_is_refused(put: Put, alice: Client, tags: object) -> None:
    path = f"/api/videos/{put()}"
    alice.patch(path, json={"tags": ["sea"]})

    assert alice.patch(path, json={"tags": tags}).status_code == 422
    assert alice.get(path).json["tags"] == ["sea"]


def test_a_list_is_limited_by_the_parameters(house: House, put: Put, alice: Client) -> None:
    house.join("bob")
    short = put(title="short", duration_ms=60_000, created_at=datetime(2026, 3, 1, 23, tzinfo=UTC))
    put(title="medium", duration_ms=600_000, created_at=datetime(2026, 3, 2, tzinfo=UTC))
    long = put(title="long", duration_ms=3_600_000, created_at=datetime(2026, 3, 3, tzinfo=UTC))
    shared = house.put("bob", title="shared")
    house.put("bob", "public", title="public")
    house.put("bob", title="hidden")
    house.grant("alice", video_id=shared)
    alice.patch(f"/api/videos/{long}", json={"tags": ["Sea"]})
    house.add_job(short, JobKind.CHECK)
    house.add_job(long, JobKind.CHECK, JobState.FAILED)

    for parameters, titles in (
        ({"whose": "mine"}, ["long", "medium", "short"]),
        ({"whose": "shared"}, ["shared"]),
        ({"whose": "public"}, ["public"]),
        ({"tag": "SEA"}, ["long"]),
        ({"tag": "none"}, []),
        ({"whose": "mine", "length": "short"}, ["short"]),
        ({"whose": "mine", "length": "medium"}, ["medium"]),
        ({"length": "long"}, ["long"]),
        ({"whose": "mine", "from": "2026-03-02"}, ["long", "medium"]),
        ({"to": "2026-03-02"}, ["medium", "short"]),
        ({"from": "2026-03-02", "to": "2026-03-02"}, ["medium"]),
        ({"to": "9999-12-31", "whose": "public"}, ["public"]),
        ({"state": "processing"}, ["short"]),
        ({"state": "failed"}, ["long"]),
        ({"state": "ready", "whose": "mine"}, ["medium"]),
    ):
        assert found(alice, **parameters) == titles, parameters
        page = alice.get("/stream", query_string=parameters).text
        assert all(title in page for title in titles)


@pytest.mark.parametrize("query", ["whose=x", "length=x", "state=x", "from=x", "to=2026-02-30"])
def test_a_filter_that_makes_no_sense_is_named_or_ignored(
    put: Put, alice: Client, query: str
) -> None:
    put(title="Sea")

    answer = alice.get(f"/api/videos?{query}")
    assert answer.status_code == 422
    assert f"“{query.partition('=')[0]}”" in answer.json["error"]
    assert "Sea" in alice.get(f"/stream?{query}").text


def test_filters_stay_in_the_addresses_of_a_page(put: Put, alice: Client) -> None:
    put(title="Sea")
    query = "q=sea&whose=mine&length=short&from=2026-01-01&state=ready"

    page = alice.get(f"/stream?{query}").text

    tab = re.search(r'href="([^"]*)"\s*>Public<', page)
    assert tab is not None
    kept = parse_qs(urlsplit(tab[1].replace("&amp;", "&")).query)
    assert kept == {
        "q": ["sea"],
        "whose": ["public"],
        "length": ["short"],
        "from": ["2026-01-01"],
        "state": ["ready"],
    }


def test_a_search_finds_tags_and_collections_that_one_sees(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    video_id = put(title="Sea", visibility="members")
    alice.patch(f"/api/videos/{video_id}", json={"tags": ["Überraschung"]})
    collection_id = house.collection("alice", video_id, title="Summer in Crete")

    assert found(bob, q="uberr") == ["Sea"]
    assert found(alice, q="crete sea") == ["Sea"]
    assert found(bob, q="crete") == []

    house.grant("bob", collection_id=collection_id)
    assert found(bob, q="crete") == ["Sea"]
    assert found(bob, whose="shared") == ["Sea"]


def test_a_search_follows_each_change(house: House, put: Put, alice: Client) -> None:
    video_id = put(title="Sea", description="Waves")
    assert found(alice, q="wav") == ["Sea"]

    alice.patch(f"/api/videos/{video_id}", json={"title": "Mountain", "description": "Snow"})

    assert found(alice, q="sno moun") == ["Mountain"]
    assert found(alice, q="wav") == found(alice, q="sea") == []


def tick(client: Client, do: str, *video_ids: str, **fields: str) -> str:
    """Send the form of several videos; return the page that it leads to."""
    form = {"do": do, "video": list(video_ids), "back": "/stream?whose=mine&select=1"} | fields
    answer = client.post("/stream/selection", data=form)
    assert answer.status_code == 303, answer.text
    assert answer.location.startswith("/stream?whose=mine&select=1&done=selection")
    return client.get(answer.location).text


def test_several_videos_are_changed_at_once(house: House, put: Put, alice: Client) -> None:
    one, two, other = put(title="one"), put(title="two"), put(title="other")
    alice.patch(f"/api/videos/{one}", json={"tags": ["old"]})
    page = alice.get("/stream?select=1").text
    assert page.count('name="video"') == 3
    assert 'class="videos grid selecting"' in page
    assert 'class="videos grid"' in alice.get("/stream").text

    assert "2 videos were changed." in tick(alice, "tag", one, two, tag="new, sea")
    tick(alice, "untag", one, tag="SEA")
    tick(alice, "visibility", one, visibility="members")
    collection_id = house.collection("alice")
    assert "Holidays" in alice.get("/stream?select=1").text
    tick(alice, "collection", one, two, collection=collection_id)
    tick(alice, "delete", two)

    described = alice.get(f"/api/videos/{one}").json
    assert (described["tags"], described["visibility"]) == (["new", "old"], "members")
    assert alice.get(f"/api/videos/{two}").json["tags"] == ["new", "sea"]
    assert house.video(two).binned_at is not None
    assert house.video(one).binned_at is None
    assert alice.get(f"/api/videos/{other}").json["tags"] == []
    assert found(alice, q="holidays") == ["one"]


def test_each_video_of_a_selection_is_checked(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    theirs, own = put(visibility="public"), house.put("bob", title="own")
    editable = put(title="editable")
    house.grant("bob", Level.EDIT, video_id=editable)
    selected = (theirs, own, editable, "A" * 22, "x")

    page = tick(bob, "delete", *selected)
    assert "1 video was changed." in page
    assert "4 videos were not changed" in page
    tick(bob, "visibility", *selected, visibility="members")
    tick(bob, "tag", *selected, tag="bobs")

    assert house.video(theirs).binned_at is house.video(editable).binned_at is None
    assert alice.get(f"/api/videos/{theirs}").json["visibility"] == "public"
    assert alice.get(f"/api/videos/{editable}").json["visibility"] == "private"
    assert alice.get(f"/api/videos/{theirs}").json["tags"] == []
    assert alice.get(f"/api/videos/{editable}").json["tags"] == ["bobs"]


def test_several_videos_are_shared_at_once_where_one_may_share(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    house.join("charlie")
    own, theirs, editable = house.put("bob", title="own"), put(title="theirs"), put(title="edit")
    house.grant("bob", Level.SHARE, video_id=theirs)
    house.grant("bob", Level.EDIT, video_id=editable)

    page = tick(bob, "share", own, theirs, editable, who="Charlie", level="download")
    assert "2 videos were changed." in page
    assert "1 video was not changed" in page
    charlies = select(Grant.video_id, Grant.level).where(
        Grant.user_id == house.viewers["charlie"].id
    )
    grants = house.database.read(lambda session: session.execute(charlies).all())
    assert sorted(grants) == sorted([(own, Level.DOWNLOAD), (theirs, Level.DOWNLOAD)])


def test_a_selection_that_makes_no_sense_changes_nothing(
    house: House, put: Put, alice: Client
) -> None:
    video_id = put()
    for form in (
        {"do": "x"},
        {"do": "tag", "tag": " , "},
        {"do": "visibility", "visibility": "x"},
        {"do": "share", "who": "nobody", "level": "watch"},
        {"do": "share", "who": "alice", "level": "x"},
        {},
    ):
        assert alice.post("/stream/selection", data=form | {"video": video_id}).status_code == 422
    form = {"do": "collection", "collection": "A" * 22, "video": video_id}
    assert alice.post("/stream/selection", data=form).status_code == 404
    away = {"do": "delete", "back": "//elsewhere.example/"}
    assert alice.post("/stream/selection", data=away).location.startswith("/stream?")


def test_a_list_takes_the_same_queries_however_long_it_is(
    house: House, put: Put, alice: Client
) -> None:
    """Also with tags, groups, collections and grants."""
    house.join("bob")
    viewer = house.viewers["alice"].id
    group = house.group("Family", "alice")
    video_ids: list[str] = []
    address = "/stream?q=s&tag=sea&select=1"

    def load() -> None:
        assert alice.get(address).status_code == 200

    def begin(video_id: str) -> Position:
        return Position(user_id=viewer, video_id=video_id, position_ms=1000)

    def fill(videos: int) -> None:
        for number in range(videos):
            video_id = put("bob", title=f"Sea {number}", visibility="members")
            video_ids.append(video_id)
            house.add_job(video_id, JobKind.CHECK, JobState.DONE)
            house.collection("bob", video_id, title="Sea")
            house.add(
                Grant(
                    id=new_id(),
                    level=Level.WATCH,
                    video_id=video_id,
                    group_id=group,
                    granted_by_id=house.viewers["bob"].id,
                )
            )
            house.database.write(
                lambda session, video_id=video_id: set_tags(session, video_id, ["sea"])
            )

    fill(26)  # so that what was begun first is not on the first page
    load()
    few = house.count_queries(load)
    address = "/stream"
    house.add(begin(video_ids[0]))
    load()
    few_begun = house.count_queries(load)
    fill(10)
    house.add(*map(begin, video_ids[1:]))
    assert house.count_queries(load) == few_begun
    address = "/stream?q=s&tag=sea&select=1"
    assert house.count_queries(load) == few
    assert house.database.read(lambda session: session.query(Video).count()) == 36
