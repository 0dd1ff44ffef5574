"""Reading the audit log: who sees which entries, page by page, and as an export."""

import json

import pytest
from sqlalchemy import select

from common.audit import Action, Actor, record
from db.engine import Database
from db.models import AuditEntry, Level
from streaming_service.videos import audit_log
from tests.conftest import Client

from .conftest import House, Put

pytestmark = pytest.mark.on_mysql


def note(
    database: Database, action: Action, video_id: str | None = None, **details: object
) -> None:
    """Add an entry, as a change does."""
    actor = Actor(None, address="192.0.2.7", request_id="r1")
    database.write(lambda session: record(session, actor, action, video_id=video_id, **details))


def test_every_action_has_words_for_people() -> None:
    views = [
        audit_log.AuditView(AuditEntry(action=action), {}, with_origin=False) for action in Action
    ]
    assert [view.entry.action for view in views if view.words == view.entry.action] == []


def test_the_owner_sees_what_was_changed_by_whom(put: Put, alice: Client) -> None:
    video_id = put()
    alice.patch(f"/api/videos/{video_id}", json={"visibility": "public"})

    [entry] = alice.get(f"/api/audit?video={video_id}").json["entries"]

    assert entry["action"] == "video.visibility"
    assert (entry["actor"], entry["video"]) == ("alice", video_id)
    assert entry["details"] == {"before": "private", "visibility": "public", "downloadable": False}
    assert entry["address"] == "127.0.0.1"
    assert entry["request"]
    page = alice.get(f"/stream/{video_id}/audit").text
    assert "Changed who can watch" in page
    assert "before: private, visibility: public" in page
    assert f'href="/stream/{video_id}/audit"' in alice.get(f"/stream/{video_id}").text


def test_who_sees_the_entries_of_a_video(
    house: House, put: Put, alice: Client, bob: Client, charlie: Client, nobody: Client
) -> None:
    """Bob may share it, and sees no addresses. An administrator sees it in the whole log only."""
    video_id = put(visibility="public")
    note(house.database, Action.LINK_CREATED, video_id, label="For Anna")
    addresses = (f"/stream/{video_id}/audit", f"/api/audit?video={video_id}")

    for client, statuses in ((bob, [404, 404]), (charlie, [404, 404]), (nobody, [303, 401])):
        assert [client.get(address).status_code for address in addresses] == statuses

    house.grant("bob", Level.SHARE, video_id=video_id)
    [entry] = bob.get(addresses[1]).json["entries"]
    assert entry["details"] == {"label": "For Anna"}
    assert "address" not in entry
    assert "192.0.2.7" not in bob.get(addresses[0]).text


def test_administrators_see_everything_but_the_names_of_what_is_private(
    house: House, put: Put, alice: Client, charlie: Client
) -> None:
    video_id = put()
    note(house.database, Action.LINK_CREATED, video_id, label="For Anna", level="watch")
    note(house.database, Action.ACCOUNT_CREATED, name="dora")

    created, link = charlie.get("/api/audit").json["entries"][:2]

    assert created["details"] == {"name": "dora"}
    assert (link["video"], link["details"]) == (video_id, {"level": "watch"})
    page = charlie.get("/stream/audit").text
    assert "192.0.2.7" in page
    assert "For Anna" not in page + charlie.get("/api/audit/export.jsonl").text
    assert alice.get("/api/audit").status_code == 404
    assert alice.get("/api/audit/export.jsonl").status_code == 404
    assert alice.get("/stream/audit").status_code == 403


def test_the_label_of_a_link_is_private_in_every_entry(
    put: Put, alice: Client, charlie: Client
) -> None:
    video_id = put()
    link = alice.post(f"/api/videos/{video_id}/links", json={"label": "For Anna"}).json["id"]
    assert alice.get(f"/stream/{video_id}/as?link={link}").status_code == 200
    assert "For Anna" in alice.get(f"/api/audit?video={video_id}").text
    assert "For Anna" not in charlie.get("/api/audit/export.jsonl").text


def test_details_are_as_long_as_the_column_in_bytes(house: House, put: Put, alice: Client) -> None:
    video_id = put()
    note(house.database, Action.LINK_CREATED, video_id, names="\u65e5" * 40_000)
    entry = house.database.read(lambda session: session.scalars(select(AuditEntry)).one())
    assert 59_000 < len(entry.details.encode()) < 65_536


def test_the_log_goes_on_to_further_pages(
    house: House, put: Put, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "_EXPORT_PAGE", 7)
    video_id = put()
    for number in range(audit_log.PAGE + 3):
        note(house.database, Action.LINK_OPENED, video_id, number=number)
    address = f"/api/audit?video={video_id}"

    first = alice.get(address).json
    second = alice.get(f"{address}&after={first['next']}").json

    numbers = [entry["details"]["number"] for entry in (*first["entries"], *second["entries"])]
    assert numbers == list(reversed(range(audit_log.PAGE + 3)))
    assert second["next"] is None
    assert alice.get(f"{address}&after=x").status_code == 422
    assert "Earlier entries" in alice.get(f"/stream/{video_id}/audit").text
    export = alice.get(f"/api/audit/export.jsonl?video={video_id}")
    assert export.mimetype == "application/jsonl"
    lines = [json.loads(line) for line in export.text.splitlines()]
    assert [line["details"]["number"] for line in lines] == numbers


def test_details_that_were_cut_are_shown_as_text(house: House, put: Put, alice: Client) -> None:
    video_id = put()
    note(house.database, Action.LINK_CREATED, video_id, text="x" * 70_000)

    [entry] = alice.get(f"/api/audit?video={video_id}").json["entries"]

    assert entry["details"]["text"].startswith('{"text": "xxx')
