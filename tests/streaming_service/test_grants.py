"""Sharing with people and groups: the API, the page "Who can watch this?", and what it changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from common.ids import new_id
from db.models import (
    AuditEntry,
    Grant,
    Level,
    User,
    Video,
    now,
)
from streaming_service.sharing import grants
from tests.conftest import Client
from tests.streaming_service.conftest import House, Put

pytestmark = pytest.mark.on_mysql


def share(client: Client, video: str, **fields: Any) -> Any:
    """Make a grant through the API, and return it."""
    answer = client.post(f"/api/videos/{video}/grants", json={"level": "watch"} | fields)
    assert answer.status_code == 201, answer.text
    return answer.json


def soon(days: int = 1) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


# --- grants ---------------------------------------------------------------------------------------


def test_a_grant_opens_a_private_video(put: Put, alice: Client, bob: Client, house: House) -> None:
    video = put()
    assert bob.get(f"/stream/{video}").status_code == 404
    granted = share(alice, video, user="BOB", expires_at=soon())
    assert granted["user"] == "bob"
    assert granted["group"] is None
    assert granted["level"] == "watch"
    assert bob.get(f"/stream/{video}").status_code == 200
    assert bob.get(f"/stream/{video}/video.mp4").status_code == 404
    # A level that is raised, and a grant that is removed, count from the next request on.
    patched = alice.patch(
        f"/api/grants/{granted['id']}", json={"level": "download", "expires_at": None}
    )
    assert (patched.json["level"], patched.json["expires_at"]) == ("download", None)
    assert bob.get(f"/stream/{video}/video.mp4").status_code == 200
    assert alice.delete(f"/api/grants/{granted['id']}").status_code == 204
    assert bob.get(f"/stream/{video}/video.mp4").status_code == 404
    assert alice.delete(f"/api/grants/{granted['id']}").status_code == 404


def test_a_group_is_shared_with_by_its_members_or_if_it_is_for_everyone(
    put: Put, alice: Client, bob: Client, charlie: Client, house: House
) -> None:
    video = put()
    family = house.group("Family", "alice", "bob")
    share(alice, video, group=family)
    assert bob.get(f"/stream/{video}").status_code == 200
    assert charlie.get(f"/stream/{video}").status_code == 404
    others = house.group("Others", "bob")
    path = f"/api/videos/{video}/grants"
    assert alice.post(path, json={"group": others, "level": "watch"}).status_code == 422
    everyone = house.group("School", "charlie", for_everyone=True)
    share(alice, video, group=everyone)
    assert charlie.get(f"/stream/{video}").status_code == 200


def test_what_is_wrong_with_a_grant_is_said(put: Put, alice: Client, bob: Client) -> None:
    path = f"/api/videos/{put()}/grants"
    for body in (
        {"user": "nobody", "level": "watch"},
        {"user": "b\ud800", "level": "watch"},
        {"user": "bob", "level": "own"},
        {"user": "bob", "level": "watch", "expires_at": "2020-01-01T00:00:00Z"},
        {"user": "bob", "level": "watch", "expires_at": "soon"},
        {"user": "bob", "level": "watch", "expires_at": "9999-12-31"},
        {"user": "bob", "group": "x", "level": "watch"},
        {"level": "watch"},
        {"user": "bob"},
        {"user": "bob", "level": "watch", "expires_at": "9999-12-31T23:59:59.999999"},
    ):
        assert alice.post(path, json=body).status_code == 422, body
    assert alice.post(path, json={"user": "alice", "level": "watch"}).status_code == 409
    assert alice.post(path, json={"user": "bob", "level": "watch"}).status_code == 201
    assert alice.post(path, json={"user": "Bob", "level": "edit"}).status_code == 409


def test_a_disabled_account_cannot_be_named(
    put: Put, alice: Client, bob: Client, house: House
) -> None:
    house.change(User, house.viewers["bob"].id, disabled_at=now())
    answer = alice.post(f"/api/videos/{put()}/grants", json={"user": "bob", "level": "watch"})
    assert answer.status_code == 422


def test_a_grant_that_has_expired_makes_way(
    put: Put, alice: Client, bob: Client, house: House
) -> None:
    video = put()
    old = share(alice, video, user="bob", expires_at=soon())["id"]
    house.change(Grant, old, expires_at=now() - timedelta(seconds=1))
    assert share(alice, video, user="bob")["id"] != old


def test_a_video_has_a_limited_number_of_grants(
    put: Put, alice: Client, bob: Client, charlie: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "GRANT_LIMIT", 1)
    video = put()
    share(alice, video, user="bob")
    answer = alice.post(f"/api/videos/{video}/grants", json={"user": "charlie", "level": "watch"})
    assert answer.status_code == 409
    assert "group" in answer.json["error"]


def test_only_who_may_share_sees_and_changes_grants(
    put: Put, alice: Client, bob: Client, charlie: Client, nobody: Client
) -> None:
    video = put()
    grant = share(alice, video, user="bob", level="edit")["id"]
    body = {"user": "charlie", "level": "watch"}
    for client, status in ((bob, 404), (charlie, 404), (nobody, 401)):
        assert client.post(f"/api/videos/{video}/grants", json=body).status_code == status
        assert client.post(f"/api/videos/{video}/grants", json={}).status_code == status
        assert client.get(f"/api/videos/{video}/access").status_code == status
        assert client.patch(f"/api/grants/{grant}", json={"level": "share"}).status_code == status
    assert bob.get(f"/stream/{video}/access").status_code == 404
    assert charlie.delete(f"/api/grants/{grant}").status_code == 404
    alice.patch(f"/api/grants/{grant}", json={"level": "share"})
    share(bob, video, user="charlie", level="share")
    assert charlie.get(f"/stream/{video}/access").status_code == 200


def test_who_may_share_does_not_decide_on_their_own_right(
    put: Put, alice: Client, bob: Client, house: House
) -> None:
    video = put()
    grant = share(alice, video, user="bob", level="share", expires_at=soon())["id"]
    assert bob.patch(f"/api/grants/{grant}", json={"expires_at": None}).status_code == 409
    page = bob.post(f"/stream/{video}/access/grants/{grant}", data={"level": "share"})
    assert page.status_code == 409
    assert "for the owner to decide" in page.text

    collection = house.collection("alice", lent := put())
    body = {"user": "bob", "level": "share"}
    assert alice.post(f"/api/collections/{collection}/grants", json=body).status_code == 201
    assert bob.post(f"/api/videos/{lent}/grants", json=body).status_code == 409


def test_a_receiver_may_remove_their_own_grant_but_not_a_groups(
    put: Put, alice: Client, bob: Client, house: House
) -> None:
    video = put()
    own = share(alice, video, user="bob")["id"]
    of_group = share(alice, video, group=house.group("Family", "alice", "bob"))["id"]
    assert bob.delete(f"/api/grants/{of_group}").status_code == 404
    assert bob.delete(f"/api/grants/{own}").status_code == 204
    assert bob.get(f"/stream/{video}").status_code == 200


def test_a_collections_grant_counts_for_media_from_the_next_request_on(
    put: Put, alice: Client, bob: Client, house: House
) -> None:
    video = put()
    collection = house.collection("alice", video)

    def status() -> int:
        return bob.get(f"/stream/{video}/video.mp4").status_code

    assert status() == 404
    granted = alice.post(
        f"/api/collections/{collection}/grants", json={"user": "bob", "level": "download"}
    )
    path = f"/api/grants/{granted.json['id']}"
    assert status() == 200
    alice.patch(path, json={"level": "watch"})
    assert status() == 404
    alice.patch(path, json={"level": "edit"})
    assert status() == 200
    alice.delete(path)
    assert status() == 404


def test_a_collection_is_shared_as_a_whole(
    put: Put, alice: Client, bob: Client, charlie: Client, house: House
) -> None:
    video, foreign = put(), put("charlie")
    collection = house.collection("alice", video, foreign)
    path = f"/api/collections/{collection}/grants"
    assert bob.post(path, json={"user": "bob", "level": "watch"}).status_code == 404
    answer = alice.post(path, json={"user": "bob", "level": "watch"})
    assert answer.status_code == 201
    assert bob.get(f"/stream/{video}").status_code == 200
    assert bob.get(f"/stream/{foreign}").status_code == 404
    people = alice.get(f"/api/videos/{video}/access").json["people"]
    [entry] = [one for one in people if one["kind"] == "user"]
    assert entry["via"] == {"collection": collection, "title": "Holidays"}
    assert alice.delete(f"/api/grants/{answer.json['id']}").status_code == 204
    assert bob.get(f"/stream/{video}").status_code == 404


def test_each_change_is_audited(put: Put, alice: Client, bob: Client, house: House) -> None:
    video = put()
    grant = share(alice, video, user="bob")["id"]
    alice.patch(f"/api/grants/{grant}", json={"level": "edit"})
    bob.delete(f"/api/grants/{grant}")
    entries = house.database.read(
        lambda session: session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    )
    assert [(entry.actor_name, entry.action) for entry in entries] == [
        ("alice", "grant.created"),
        ("alice", "grant.changed"),
        ("bob", "grant.removed"),
    ]
    assert {entry.video_id for entry in entries} == {video}


# --- who can be named -----------------------------------------------------------------------------


def test_names_are_suggested_as_one_types(
    alice: Client, bob: Client, charlie: Client, house: House, nobody: Client
) -> None:
    for name in ("Zoë", "zora", "zoltan"):
        house.join(name)
    house.change(User, house.viewers["zoltan"].id, disabled_at=now())
    house.group("Zoo", "alice")
    house.group("Zookeepers", "bob")
    found = alice.get("/api/users?q=ZOE").json["suggestions"]
    assert found == [{"kind": "user", "name": "Zoë", "text": "Zoë"}]
    found = alice.get("/api/users?q=zo").json["suggestions"]
    assert [one["text"] for one in found] == ["Zoë", "zora", "Zoo (group)"]
    assert alice.get("/api/users?q=ali").json["suggestions"] == []
    assert alice.get("/api/users?q=%25").json["suggestions"] == []
    assert nobody.get("/api/users?q=zo").status_code == 401


def test_eight_are_suggested_at_most(alice: Client, house: House) -> None:
    for number in range(10):
        house.join(f"kim{number}")
        house.group(f"Kim{number}", "alice")
    kinds = [one["kind"] for one in alice.get("/api/users?q=kim").json["suggestions"]]
    assert sorted(kinds) == ["group"] * 4 + ["user"] * 4


def test_without_a_directory_exact_names_still_work(
    put: Put, alice: Client, bob: Client, house: House
) -> None:
    here = house.services
    here.settings = type(here.settings)(
        here.settings.common, here.settings.videos_dir, user_directory=False
    )
    house.group("Family", "alice")
    assert alice.get("/api/users?q=bo").json["suggestions"] == []
    video = put()
    page = alice.get(f"/stream/{video}/access").text
    assert "Family" not in page
    share(alice, video, user="bob")


# --- the page -------------------------------------------------------------------------------------


def test_the_page_shares_changes_and_removes(
    put: Put, alice: Client, bob: Client, house: House
) -> None:
    video = put()
    house.group("Family", "alice", "bob")
    base = f"/stream/{video}/access"
    answer = alice.post(base, data={"who": "bob", "level": "watch", "until": soon()[:10]})
    assert answer.location == f"{base}?done=shared"
    assert alice.post(base, data={"who": "Family", "level": "edit"}).status_code == 303
    page = alice.get(f"{base}?done=shared").text
    assert "Shared with 1 person, 1 group" in page
    assert "until the end of" in page
    assert "Shared with 1 person, 1 group" in alice.get(f"/stream/{video}").text
    people = alice.get(f"/api/videos/{video}/access").json["people"]
    grant = {one["name"]: one["grant"] for one in people}
    form = {"level": "edit", "until": "", "until_before": soon()[:10]}
    assert alice.post(f"{base}/grants/{grant['bob']}", data=form).status_code == 303
    people = alice.get(f"/api/videos/{video}/access").json["people"]
    assert [(one["name"], one["level"], one["expires_at"]) for one in people[1:]] == [
        ("bob", "edit", None),
        ("Family", "edit", None),
    ]
    assert alice.post(f"{base}/grants/{grant['bob']}/remove").status_code == 303
    assert alice.post(f"{base}/grants/{grant['Family']}/remove").status_code == 303
    assert "Not shared with anybody" in alice.get(base).text


def test_saving_a_level_keeps_an_end_within_a_day(
    put: Put, alice: Client, bob: Client, house: House
) -> None:
    video = put()
    ends = datetime.now(UTC).replace(hour=12, minute=30) + timedelta(days=3)
    grant = share(alice, video, user="bob", expires_at=ends.isoformat())
    day = ends.date().isoformat()
    form = {"level": "edit", "until": day, "until_before": day}
    assert alice.post(f"/stream/{video}/access/grants/{grant['id']}", data=form).status_code == 303
    people = alice.get(f"/api/videos/{video}/access").json["people"]
    assert people[1]["expires_at"] == grant["expires_at"]


def test_the_page_says_what_went_wrong_and_keeps_the_form(put: Put, alice: Client) -> None:
    base = f"/stream/{put()}/access"
    answer = alice.post(base, data={"who": "Zed", "level": "edit"})
    assert answer.status_code == 422
    assert "There is no person or group with this name" in answer.text
    assert 'value="Zed"' in answer.text


def test_two_groups_with_one_name_are_not_guessed(put: Put, alice: Client, house: House) -> None:
    house.group("Team", "alice")
    house.group("team", "alice")
    answer = alice.post(f"/stream/{put()}/access", data={"who": "Team (group)", "level": "watch"})
    assert answer.status_code == 422
    assert "another name" in answer.text


def test_visibility_is_changed_on_the_page(put: Put, alice: Client, bob: Client) -> None:
    video = put()
    base = f"/stream/{video}/access"
    form = {"visibility": "members", "downloadable": "on"}
    assert alice.post(f"{base}/visibility", data=form).status_code == 303
    assert bob.get(f"/stream/{video}/download").status_code == 200
    people = alice.get(f"/api/videos/{video}/access").json["people"]
    assert [(one["kind"], one["level"]) for one in people] == [
        ("owner", "share"),
        ("members", "download"),
    ]
    assert bob.post(f"{base}/visibility", data={"visibility": "public"}).status_code == 404


def test_the_list_says_when_it_was_last_watched(
    put: Put, alice: Client, bob: Client, house: House
) -> None:
    video = put()
    share(alice, video, user="bob")
    share(alice, video, group=house.group("Family", "alice", "bob"))
    path = f"/api/videos/{video}"
    assert alice.get(f"{path}/access").json["people"][1]["last_watched_at"] is None
    # To the end, so that nothing is left to resume.
    assert bob.put(f"{path}/position", json={"position_ms": 61_000}).status_code == 204
    assert bob.get(path).json["position_ms"] == 0
    people = alice.get(f"{path}/access").json["people"]
    assert all(one["last_watched_at"] for one in people[1:])


def test_a_name_of_both_a_person_and_a_group_is_not_guessed(
    put: Put, alice: Client, bob: Client, house: House
) -> None:
    base = f"/stream/{put()}/access"
    house.group("Bob", "alice")
    answer = alice.post(base, data={"who": "bob", "level": "watch"})
    assert answer.status_code == 422
    assert "A person and a group are called this" in answer.text
    assert alice.post(base, data={"who": "Bob (group)", "level": "watch"}).status_code == 303


def test_who_gives_up_their_own_right_leaves_the_page(put: Put, alice: Client, bob: Client) -> None:
    video = put()
    grant = share(alice, video, user="bob", level="share")["id"]
    answer = bob.post(f"/stream/{video}/access/grants/{grant}/remove")
    assert answer.location == "/stream/shared"


def test_a_collection_has_the_same_page(
    put: Put, alice: Client, bob: Client, charlie: Client, house: House
) -> None:
    collection = house.collection("alice", put())
    base = f"/collections/{collection}/access"
    house.group("Family", "alice", "bob")
    assert alice.post(base, data={"who": "Family", "level": "watch"}).status_code == 303
    assert alice.post(base, data={"who": "charlie", "level": "share"}).status_code == 303
    page = charlie.get(base).text
    assert "Shared with 1 person, 1 group" in page
    assert "2 people:" in page
    assert "Visibility" not in page
    assert bob.get(f"/collections/{collection}").status_code == 200
    assert bob.get(base).status_code == 404
    assert bob.post(base, data={"who": "bob", "level": "share"}).status_code == 404
    grant = page.split(f"{base}/grants/")[1].split('"')[0]
    assert alice.post(f"{base}/grants/{grant}", data={"level": "edit"}).status_code == 303
    assert charlie.get(base).status_code == 404
    assert alice.post(f"{base}/grants/{grant}/remove").status_code == 303
    assert charlie.get(f"/collections/{collection}").status_code == 404


def test_lists_need_the_same_number_of_queries(
    put: Put, alice: Client, bob: Client, house: House
) -> None:
    video = put()
    put()  # the watch page lists more of the same owner
    share(alice, video, user="bob")
    share(alice, video, group=house.group("g", "alice", "bob"))
    collection = house.collection("alice", video)
    alice.post(f"/api/collections/{collection}/grants", json={"user": "bob", "level": "watch"})

    def ask() -> None:
        assert alice.get(f"/stream/{video}/access").status_code == 200
        assert alice.get(f"/stream/{video}").status_code == 200
        assert bob.get("/stream/shared").status_code == 200

    ask()
    few = house.count_queries(ask)
    for number in range(5):
        house.join(f"kim{number}")
        share(alice, video, user=f"kim{number}")
        share(alice, video, group=house.group(f"g{number}", "alice", f"kim{number}"))
        share(alice, put(), user="bob")
    ask()
    assert house.count_queries(ask) == few


# --- as somebody else -----------------------------------------------------------------------------


def test_a_video_is_seen_as_its_receiver_gets_it(
    put: Put, alice: Client, bob: Client, house: House
) -> None:
    video = put()
    house.publish(video, 240)
    low = share(alice, video, user="bob")["id"]
    high = share(alice, video, group=house.group("Family", "alice"), level="download")["id"]
    as_bob = alice.get(f"/stream/{video}/as?grant={low}").text
    assert "You see this page as" in as_bob
    assert "/download" not in as_bob
    assert "video.mp4" not in as_bob
    assert "data-remember" not in as_bob
    as_family = alice.get(f"/stream/{video}/as?grant={high}").text
    assert "video.mp4" in as_family
    assert f'href="/stream/{video}/edit"' not in as_family
    house.change(Video, video, visibility="members", downloadable=True)
    assert "Download" in alice.get(f"/stream/{video}/as?kind=members").text
    entries = house.database.read(
        lambda session: session.scalars(
            select(AuditEntry.details).where(AuditEntry.action == "video.viewed_as")
        ).all()
    )
    assert len(entries) == 3


def test_only_who_may_share_sees_as_somebody_else(put: Put, alice: Client, bob: Client) -> None:
    video = put()
    grant = share(alice, video, user="bob", level="edit")["id"]
    assert bob.get(f"/stream/{video}/as?grant={grant}").status_code == 404
    assert alice.get(f"/stream/{video}/as?grant={new_id()}").status_code == 404
    assert alice.get(f"/stream/{video}/as?kind=owner").status_code == 404
    assert alice.get(f"/stream/{video}/as?kind=everybody").status_code == 404
    assert alice.get(f"/stream/{video}/as").location == f"/stream/{video}/access"


# --- shared with me -------------------------------------------------------------------------------


def test_what_is_shared_is_told_once(
    put: Put, alice: Client, bob: Client, charlie: Client, house: House
) -> None:
    first, second = put(title="First"), put(title="Second")
    collection = house.collection("alice", put(title="Third"), title="Holidays")
    assert "Nothing yet" in bob.get("/stream/shared").text
    share(alice, first, user="bob", level=Level.DOWNLOAD)
    family = house.group("Family", "alice", "bob")
    share(alice, first, group=family)
    share(alice, second, group=family)
    alice.post(f"/api/collections/{collection}/grants", json={"user": "bob", "level": "watch"})
    assert "(3 new)" in bob.get("/stream").text
    page = bob.get("/stream/shared").text
    assert page.count(">New<") == 3
    assert page.index("Holidays") < page.index("Second") < page.index(">First<")
    assert "alice shared it" in page
    page = bob.get("/stream/shared").text
    assert ">New<" not in page
    assert " new)" not in page
    # What one shares oneself, and what is one's own, is not in the list.
    assert "Nothing yet" in alice.get("/stream/shared").text
    assert "Nothing yet" in charlie.get("/stream/shared").text


def test_what_is_gone_is_not_in_the_list(
    put: Put, alice: Client, bob: Client, house: House
) -> None:
    binned, expired, ended = put(), put(), put()
    share(alice, binned, user="bob")
    grant = share(alice, expired, user="bob")["id"]
    own = share(alice, ended, user="bob")["id"]
    house.change(Video, binned, binned_at=now())
    house.change(Grant, grant, expires_at=now() - timedelta(seconds=1))
    assert "(1 new)" in bob.get("/stream").text
    assert bob.post(f"/stream/shared/{own}/remove").location == "/stream/shared?done=removed"
    assert "Nothing yet" in bob.get("/stream/shared").text


def test_the_list_has_pages(put: Put, alice: Client, bob: Client, house: House) -> None:
    for _ in range(25):
        share(alice, put(), user="bob")
    page = bob.get("/stream/shared").text
    assert page.count("data-video") == 24
    assert "/stream/shared?page=2" in page
    assert bob.get("/stream/shared?page=2").text.count("data-video") == 1
    assert bob.get("/stream/shared?page=-1").text.count("data-video") == 24
