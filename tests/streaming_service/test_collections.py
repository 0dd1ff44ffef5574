"""Collections: who may open and change them, their order, and what they share."""

import pytest

from db.models import AuditEntry, Grant, JobKind, JobState, Level, Video, Visibility
from tests.conftest import Client

from .conftest import House, Put

pytestmark = pytest.mark.on_mysql


def make(client: Client, title: str = "Holidays", *videos: str) -> str:
    """Make a collection with some videos, and return its id."""
    answer = client.post("/api/collections", json={"title": title})
    assert answer.status_code == 201, answer.json
    collection_id = str(answer.json["id"])
    for video_id in videos:
        assert client.put(f"/api/collections/{collection_id}/items/{video_id}").status_code == 204
    return collection_id


def ids(client: Client, collection_id: str) -> list[str]:
    """Return the ids of the videos that somebody sees in a collection."""
    answer = client.get(f"/api/collections/{collection_id}")
    assert answer.status_code == 200, answer.json
    return [video["id"] for video in answer.json["videos"]]


def test_a_collection_keeps_its_order(put: Put, alice: Client) -> None:
    first, second, third = put(), put(), put()
    holidays = make(alice, "Holidays", first, second, third)
    assert ids(alice, holidays) == [first, second, third]

    answer = alice.patch(f"/api/collections/{holidays}", json={"items": [third, first, second]})
    assert answer.status_code == 200
    assert ids(alice, holidays) == [third, first, second]

    for to, expected in {
        "down": [first, third, second],
        "last": [first, second, third],
        "up": [first, third, second],
        "first": [third, first, second],
    }.items():
        address = f"/collections/{holidays}/items/{third}/move"
        assert alice.post(address, data={"to": to}).status_code == 303
        assert ids(alice, holidays) == expected


@pytest.mark.parametrize("order", [["x"], ["first", "first"], "first"])
def test_an_order_of_other_videos_is_refused(put: Put, alice: Client, order: object) -> None:
    first = put()
    holidays = make(alice, "Holidays", first, put())
    names = [first if name == "first" else name for name in order]  # type: ignore[attr-defined]

    answer = alice.patch(
        f"/api/collections/{holidays}",
        json={"items": names if isinstance(order, list) else first},
    )

    assert answer.status_code == 422


def test_adding_a_video_twice_changes_nothing(put: Put, alice: Client) -> None:
    first, second = put(), put()
    holidays = make(alice, "Holidays", first, second, first)

    assert ids(alice, holidays) == [first, second]


def test_a_stranger_gets_nothing(put: Put, alice: Client, bob: Client, nobody: Client) -> None:
    video = put()
    holidays = make(alice, "Holidays", video)
    asked = {
        "GET": [f"/collections/{holidays}", f"/api/collections/{holidays}"],
        "PATCH": [f"/api/collections/{holidays}"],
        "DELETE": [f"/api/collections/{holidays}", f"/api/collections/{holidays}/items/{video}"],
        "PUT": [f"/api/collections/{holidays}/items/{video}"],
        "POST": [
            f"/collections/{holidays}/{change}"
            for change in ("edit", "delete", "items", f"items/{video}/remove")
        ],
    }
    for method, addresses in asked.items():
        for address in addresses:
            options = {"data": {"title": "x", "video": video}} if method == "POST" else {}
            if method == "PATCH":
                options = {"json": {"title": "x"}}
            assert bob.open(address, method=method, **options).status_code == 404, address
            answer = nobody.open(address, method=method, **options)
            assert answer.status_code in (303, 401), address
    assert ids(alice, holidays) == [video]


def test_sharing_a_collection_shares_what_its_owner_may_share(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    house.join("dora")
    mine, doras = put(), put("dora", Visibility.MEMBERS)
    hidden = put("dora", Visibility.MEMBERS)
    holidays = make(alice, "Holidays", mine, doras, hidden)
    house.change(Video, hidden, visibility=Visibility.PRIVATE)
    house.grant("bob", collection_id=holidays)

    assert ids(bob, holidays) == [mine, doras]  # the second for its visibility
    assert ids(alice, holidays) == [mine, doras]  # Alice no longer sees the third herself
    assert bob.get(f"/stream/{mine}").status_code == 200
    assert bob.get(f"/stream/{hidden}").status_code == 404
    assert "Not shared with the collection" in alice.get(f"/collections/{holidays}").text


def test_who_may_edit_changes_the_items_and_who_may_watch_does_not(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    first, second = put(), put()
    bobs = put("bob")
    holidays = make(alice, "Holidays", first, second)
    house.grant("bob", collection_id=holidays)
    assert bob.put(f"/api/collections/{holidays}/items/{bobs}").status_code == 404

    house.database.write(lambda session: session.query(Grant).update({"level": Level.EDIT}))
    assert bob.put(f"/api/collections/{holidays}/items/{bobs}").status_code == 204
    assert bob.delete(f"/api/collections/{holidays}/items/{first}").status_code == 204
    assert bob.delete(f"/api/collections/{holidays}").status_code == 404

    # Alice may not share Bob's video, so that she does not even see it.
    assert ids(bob, holidays) == [second, bobs]
    assert ids(alice, holidays) == [second]


def test_a_video_that_one_may_not_watch_cannot_be_added(
    put: Put, alice: Client, bob: Client
) -> None:
    holidays = make(bob)
    assert bob.put(f"/api/collections/{holidays}/items/{put()}").status_code == 404


def test_deleting_a_collection_keeps_its_videos(put: Put, alice: Client) -> None:
    video = put()
    holidays = make(alice, "Holidays", video)

    assert alice.delete(f"/api/collections/{holidays}").status_code == 204

    assert alice.get(f"/api/collections/{holidays}").status_code == 404
    assert alice.get(f"/stream/{video}").status_code == 200


def test_a_change_is_recorded(house: House, put: Put, alice: Client) -> None:
    video = put()
    holidays = make(alice, "Holidays", video)
    alice.delete(f"/api/collections/{holidays}/items/{video}")
    alice.delete(f"/api/collections/{holidays}")

    entries = house.database.read(
        lambda session: session.query(AuditEntry).order_by(AuditEntry.id).all()
    )
    assert [(entry.action, entry.video_id) for entry in entries] == [
        ("collection.created", None),
        ("collection.item_added", video),
        ("collection.item_removed", video),
        ("collection.deleted", None),
    ]
    assert {entry.actor_name for entry in entries} == {"alice"}
    assert all(entry.request_id and entry.address == "127.0.0.1" for entry in entries)


def test_a_video_of_a_collection_says_what_is_next(put: Put, alice: Client, bob: Client) -> None:
    first, second = put(title="First"), put(title="Second")
    holidays = make(alice, "Holidays", first, second)

    page = alice.get(f"/stream/{first}?in={holidays}").text
    assert f'data-next="/stream/{second}?in={holidays}"' in page
    last = alice.get(f"/stream/{second}?in={holidays}").text
    assert "data-next=" not in last
    assert "This is the last video." in last

    # Somebody else's collection is ignored.
    other = put("bob")
    assert "Next in" not in bob.get(f"/stream/{other}?in={holidays}").text


def test_from_the_page_of_a_video_it_is_added_to_a_new_collection(put: Put, alice: Client) -> None:
    video = put()
    assert alice.post(f"/stream/{video}/collections", data={"title": "Sea"}).status_code == 303

    [made] = alice.get("/api/collections").json["collections"]
    assert (made["title"], made["count"]) == ("Sea", 1)
    assert ids(alice, made["id"]) == [video]


def test_lists_take_as_many_queries_for_many_as_for_few(
    house: House, put: Put, alice: Client
) -> None:
    def load(address: str) -> None:
        assert alice.get(address).status_code == 200

    holidays = make(alice, "Holidays", put())
    addresses = ("/collections", f"/collections/{holidays}", f"/stream/{put()}")
    few = [house.count_queries(load, address) for address in addresses]
    for number in range(20):
        alice.put(f"/api/collections/{holidays}/items/{put()}")
        make(alice, f"More {number}")

    assert [house.count_queries(load, address) for address in addresses] == few


def test_counts_and_covers_tell_nothing_of_videos_that_are_not_shared(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    house.join("dora")
    hidden, mine = put("dora", Visibility.MEMBERS), put()
    house.add_job(hidden, JobKind.THUMBNAILS, JobState.DONE)
    holidays = make(alice, "Holidays", hidden, mine)
    house.grant("bob", collection_id=holidays)
    before = bob.get("/api/collections").json["collections"][0]
    assert before["poster"] == f"/stream/{hidden}/poster.jpg"
    house.change(Video, hidden, visibility=Visibility.PRIVATE)

    assert bob.get(f"/api/collections/{holidays}").json["count"] == 1
    listed = bob.get("/api/collections").json["collections"][0]
    assert (listed["count"], listed["poster"]) == (1, None)


def test_a_change_of_a_collection_counts_for_media_from_the_next_request_on(
    house: House, put: Put, alice: Client, bob: Client
) -> None:
    video = put()
    holidays = make(alice)
    house.grant("bob", Level.DOWNLOAD, collection_id=holidays)
    item = f"/api/collections/{holidays}/items/{video}"

    def status() -> int:
        return bob.get(f"/stream/{video}/video.mp4").status_code

    assert status() == 404
    alice.put(item)
    assert status() == 200
    alice.delete(item)
    assert status() == 404
    alice.put(item)
    assert status() == 200
    alice.delete(f"/api/collections/{holidays}")
    assert status() == 404


def test_an_editor_shares_no_video_that_they_may_only_watch(
    put: Put, house: House, alice: Client, bob: Client, charlie: Client
) -> None:
    video, holidays = put(visibility="private"), make(alice)
    house.grant("bob", Level.EDIT, collection_id=holidays)
    house.grant("charlie", collection_id=holidays)
    answer = alice.post(f"/api/videos/{video}/grants", json={"user": "bob", "level": "edit"})

    address = f"/api/collections/{holidays}/items/{video}"
    assert bob.put(address).status_code == 403
    assert charlie.get(f"/stream/{video}").status_code == 404

    alice.patch(f"/api/grants/{answer.json['id']}", json={"level": "share"})
    assert bob.put(address).status_code == 204
    assert charlie.get(f"/stream/{video}").status_code == 200


def test_a_cover_that_one_may_not_watch_is_not_told(
    put: Put, house: House, alice: Client, bob: Client, charlie: Client
) -> None:
    lent = put("charlie")
    charlie.post(f"/api/videos/{lent}/grants", json={"user": "alice", "level": "watch"})
    holidays = make(alice, "Holidays", put(), lent)
    house.grant("bob", collection_id=holidays)
    address = f"/api/collections/{holidays}"
    assert alice.patch(address, json={"cover": lent}).json["cover"] == lent
    assert alice.get("/api/collections").json["collections"][0]["cover"] == lent
    assert bob.get(address).json["cover"] is None
    assert bob.get("/api/collections").json["collections"][0]["cover"] is None
