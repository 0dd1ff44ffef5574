"""Groups: who makes, sees and changes them, and what that does to what is shared with them."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import Client as Inside

from auth_service import groups
from common.ids import new_id
from common.web.auth import SESSION_COOKIE
from db.engine import Database
from db.models import (
    AuditEntry,
    Collection,
    CollectionItem,
    Grant,
    Group,
    Level,
    User,
    Video,
    Visibility,
    now,
)
from tests.auth_service.conftest import PASSWORD, at_once, put_video, user_id
from tests.conftest import Client, Site

pytestmark = pytest.mark.on_mysql


def make(client: Client, name: str = "Family", *members: str, **fields: Any) -> str:
    """Make a group with these members through the API, and return its id."""
    answer = client.post("/api/groups", json={"name": name, **fields})
    assert answer.status_code == 201, answer.text
    group: str = answer.json["id"]
    for member in members:
        assert client.put(f"/api/groups/{group}/members/{member}").status_code == 204
    return group


def people(client: Client, group: str) -> dict[str, str]:
    """Return the members of a group and their roles."""
    answer = client.get(f"/api/groups/{group}")
    return {member["name"]: member["role"] for member in answer.json["members"]}


def private_video(database: Database, owner: str) -> str:
    """Put a private video in place, and return its id."""
    video = put_video(database, owner)

    def hide(session: Session) -> None:
        session.get_one(Video, video).visibility = Visibility.PRIVATE

    database.write(hide)
    return video


def pass_on(database: Database, video: str, *, owner: str, receiver: str) -> None:
    """Put a video into a new collection of one person's, which is shared with another."""
    collection = new_id()
    owner_id, subject = user_id(database, owner), user_id(database, receiver)

    def fill(session: Session) -> None:
        session.add(Collection(id=collection, owner_id=owner_id, title="Trip"))
        session.flush()
        session.add(CollectionItem(collection_id=collection, video_id=video, place=0))
        grant = Grant(id=new_id(), collection_id=collection, user_id=subject, level=Level.WATCH)
        session.add(grant)

    database.write(fill)


def is_authorised(site: Site, client: Client, video: str) -> bool:
    """Ask as the front server does, for a file that every watcher may have."""
    cookie = client.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    headers = {
        "X-Session-Token": cookie.value,
        "X-Video": video,
        "X-Media-Name": "master.m3u8",
    }
    streaming = Inside(site.apps["streaming"], use_cookies=False)
    return streaming.get("/internal/authorise", headers=headers).status_code == 204


# --- the rules ------------------------------------------------------------------------------------


def test_a_maker_manages_the_group(bob: Client, charlie: Client) -> None:
    group = make(bob, "  Family ", "charlie")
    assert people(bob, group) == {"bob": "manager", "charlie": "member"}
    assert people(charlie, group) == {"bob": "manager", "charlie": "member"}
    assert charlie.get("/api/groups").json["groups"] == [
        {
            "id": group,
            "name": "Family",
            "for_everyone": False,
            "role": "member",
            "member_count": 2,
        }
    ]
    assert bob.patch(f"/api/groups/{group}", json={"name": "Team"}).json["name"] == "Team"
    answer = bob.put(f"/api/groups/{group}/members/CHARLIE", json={"role": "manager"})
    assert answer.status_code == 204
    assert people(bob, group)["charlie"] == "manager"
    assert charlie.delete(f"/api/groups/{group}/members/bob").status_code == 204
    assert bob.get(f"/api/groups/{group}").status_code == 404
    assert charlie.delete(f"/api/groups/{group}").status_code == 204
    assert charlie.get("/api/groups").json["groups"] == []


def test_a_group_is_not_there_for_others(alice: Client, bob: Client, charlie: Client) -> None:
    group = make(bob, "Family", "charlie")
    path = f"/api/groups/{group}"
    # A member sees it, and does not change it. An administrator does not even see it.
    for client in (charlie, alice):
        assert client.patch(path, json={"name": "Ours"}).status_code == 404
        assert client.delete(path).status_code == 404
        assert client.put(f"{path}/members/alice").status_code == 404
        assert client.delete(f"{path}/members/bob").status_code == 404
        assert client.post(f"/groups/{group}/delete").status_code == 404
    assert alice.get(path).status_code == 404
    assert alice.get(f"/groups/{group}").status_code == 404
    assert alice.post(f"/groups/{group}/leave").status_code == 404
    assert alice.get("/api/groups").json["groups"] == []


def test_administrators_make_groups_for_everyone(alice: Client, bob: Client) -> None:
    answer = bob.post("/api/groups", json={"name": "School", "for_everyone": True})
    assert answer.status_code == 403
    group = make(alice, "School", for_everyone=True)
    seen = bob.get(f"/api/groups/{group}").json
    assert (seen["for_everyone"], seen["role"], seen["member_count"]) == (True, None, 1)
    assert "members" not in seen
    assert "alice" not in bob.get(f"/groups/{group}").text.split("</header>")[1]


def test_a_viewer_makes_no_groups(alice: Client, bob: Client, database: Database) -> None:
    form = {"role": "viewer"}
    assert alice.post(f"/admin/users/{user_id(database, 'bob')}", data=form).status_code == 303
    assert bob.post("/api/groups", json={"name": "Family"}).status_code == 403
    assert "Create a group" not in bob.get("/groups").text


def test_what_is_wrong_is_said(bob: Client, alice: Client, database: Database) -> None:
    assert bob.post("/api/groups", json={"name": " "}).status_code == 422
    assert bob.post("/api/groups", json={"name": "n" * 101}).status_code == 422
    path = f"/api/groups/{make(bob)}"
    assert bob.patch(path, json={"name": ""}).status_code == 422
    assert bob.put(f"{path}/members/nobody").status_code == 422
    assert bob.put(f"{path}/members/alice", json={"role": "king"}).status_code == 422
    assert bob.delete(f"{path}/members/nobody").status_code == 404
    assert bob.delete(f"{path}/members/alice").status_code == 404
    database.write(
        lambda session: setattr(
            session.get_one(User, user_id(database, "alice")), "disabled_at", now()
        )
    )
    assert bob.put(f"{path}/members/alice").status_code == 422


def test_the_last_manager_stays(bob: Client, charlie: Client) -> None:
    group = make(bob, "Family", "charlie")
    path = f"/api/groups/{group}/members/bob"
    assert bob.delete(path).status_code == 409
    assert bob.put(path, json={"role": "member"}).status_code == 409
    assert bob.post(f"/groups/{group}/leave").status_code == 409
    assert bob.put(f"/api/groups/{group}/members/charlie", json={"role": "manager"})
    assert bob.post(f"/groups/{group}/leave").location == "/groups?done=left"
    assert people(charlie, group) == {"charlie": "manager"}


def test_two_managers_cannot_leave_at_once(bob: Client, charlie: Client) -> None:
    group = make(bob, "Family", "charlie")
    bob.put(f"/api/groups/{group}/members/charlie", json={"role": "manager"})
    clients = [bob, charlie]
    statuses = at_once(2, lambda number: clients[number].post(f"/groups/{group}/leave"))
    assert statuses == [303, 409]


def test_groups_and_members_are_limited(
    bob: Client, charlie: Client, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "MEMBER_LIMIT", 2)
    monkeypatch.setattr(groups, "MANAGED_LIMIT", 1)
    group = make(bob, "Family", "charlie")
    assert bob.put(f"/api/groups/{group}/members/alice").status_code == 409
    assert bob.post("/api/groups", json={"name": "Another"}).status_code == 409


# --- the pages ------------------------------------------------------------------------------------


def test_the_pages_do_the_same_by_forms(bob: Client, charlie: Client, database: Database) -> None:
    answer = bob.post("/groups", data={"name": "Family"})
    base = answer.location.split("?")[0]
    assert "The group is created" in bob.get(answer.location).text
    answer = bob.post(f"{base}/members", data={"name": "nobody"})
    assert answer.status_code == 422
    assert "There is nobody with this name" in answer.text
    assert 'value="nobody"' in answer.text
    assert bob.post(f"{base}/members", data={"name": "Charlie"}).status_code == 303
    member = f"{base}/members/{user_id(database, 'charlie')}"
    assert bob.post(f"{member}/role", data={"role": "manager"}).status_code == 303
    assert bob.post(f"{base}/rename", data={"name": "Team"}).status_code == 303
    assert "Team" in charlie.get("/groups").text
    assert bob.post(f"{member}/remove").status_code == 303
    assert charlie.get(base).status_code == 404
    assert bob.post(f"{base}/delete").location == "/groups?done=deleted"


# --- what is shared with a group ------------------------------------------------------------------


def test_joining_and_leaving_count_from_the_next_request_on(
    site: Site, bob: Client, charlie: Client, database: Database
) -> None:
    video = private_video(database, "bob")
    group = make(bob)
    bob.post(f"/api/videos/{video}/grants", json={"group": group, "level": "watch"})
    member = f"/api/groups/{group}/members/charlie"
    assert not is_authorised(site, charlie, video)
    bob.put(member)
    assert is_authorised(site, charlie, video)
    bob.delete(member)
    assert not is_authorised(site, charlie, video)
    bob.put(member)
    assert is_authorised(site, charlie, video)
    bob.delete(f"/api/groups/{group}")
    assert not is_authorised(site, charlie, video)


def test_what_a_collection_passes_on_ends_with_its_owners_membership(
    site: Site, alice: Client, bob: Client, charlie: Client, database: Database
) -> None:
    """Bob's video is in a collection of Alice's, who may share it as a member of a group."""
    video = private_video(database, "bob")
    group = make(bob, "Family", "alice")
    bob.post(f"/api/videos/{video}/grants", json={"group": group, "level": Level.SHARE})
    pass_on(database, video, owner="alice", receiver="charlie")
    assert is_authorised(site, charlie, video)
    bob.delete(f"/api/groups/{group}/members/alice")
    assert not is_authorised(site, charlie, video)
    bob.put(f"/api/groups/{group}/members/alice")
    assert is_authorised(site, charlie, video)
    bob.delete(f"/api/groups/{group}")
    assert not is_authorised(site, charlie, video)


def test_an_account_that_goes_takes_along_what_its_collections_opened(
    site: Site, alice: Client, bob: Client, charlie: Client, database: Database
) -> None:
    video = private_video(database, "alice")
    alice.post(f"/api/videos/{video}/grants", json={"user": "bob", "level": Level.SHARE})
    pass_on(database, video, owner="bob", receiver="charlie")
    assert is_authorised(site, charlie, video)
    assert bob.post("/account/delete", data={"password": PASSWORD}).status_code == 303
    assert not is_authorised(site, charlie, video)


def test_a_group_gets_another_manager_when_its_last_one_goes(
    alice: Client, bob: Client, charlie: Client, database: Database
) -> None:
    group = make(bob, "Family", "charlie", "alice")
    alone = make(bob, "Alone")
    assert bob.post("/account/delete", data={"password": PASSWORD}).status_code == 303
    assert people(alice, group) == {"charlie": "manager", "alice": "member"}
    assert database.read(lambda session: session.get(Group, alone)) is None


def test_each_change_is_audited(bob: Client, charlie: Client, database: Database) -> None:
    group = make(bob, "Family", "charlie")
    bob.patch(f"/api/groups/{group}", json={"name": "Team"})
    bob.put(f"/api/groups/{group}/members/charlie", json={"role": "manager"})
    bob.put(f"/api/groups/{group}/members/charlie", json={"role": "manager"})
    charlie.post(f"/groups/{group}/leave")
    bob.delete(f"/api/groups/{group}")
    actions = database.read(
        lambda session: session.scalars(
            select(AuditEntry.action).where(AuditEntry.object_id == group).order_by(AuditEntry.id)
        ).all()
    )
    assert actions == [
        "group.created",
        "group.member_added",
        "group.changed",
        "group.member_changed",
        "group.member_removed",
        "group.deleted",
    ]
