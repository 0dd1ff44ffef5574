"""The list of people, the form of each, when they were seen; the home of administration."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from auth_service.user_admin import PAGE
from common.web.last_seen import record_seen
from db.engine import Database
from db.models import Job, JobKind, JobState, Role, User, Video, Volume, now
from tests.auth_service.conftest import PASSWORD, account, log_in, put_video, user_id
from tests.conftest import Client, Site


def add_people(database: Database, count: int) -> None:
    rows = [
        {
            "name": f"Person {i:05}",
            "name_key": f"person {i:05}",
            "password_hash": "",
            "role": Role.VIEWER,
        }
        for i in range(count)
    ]
    database.write(lambda session: session.execute(insert(User), rows))


def test_a_choice_of_language_that_ends_late_brings_no_role_back(
    alice: Client, bob: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = f"/api/accounts/{user_id(database, 'bob')}"
    assert alice.patch(where, json={"role": "admin"}).status_code == 200
    write = Database.write

    def write_then_demote(self: Database, work: Callable[[Session], Any]) -> Any:
        monkeypatch.undo()
        result = write(self, work)
        assert alice.patch(where, json={"role": "viewer"}).status_code == 200
        return result

    monkeypatch.setattr(Database, "write", write_then_demote)
    assert bob.post("/language", data={"language": "de"}).status_code == 303
    assert Database.write is write
    assert bob.get("/api/session").json["role"] == "viewer"  # type: ignore[index]


@pytest.mark.on_mysql
def test_ten_thousand_people_are_shown_a_page_at_a_time_and_found(
    alice: Client, database: Database
) -> None:
    add_people(database, 10_000)
    first = alice.get("/api/accounts").get_json()
    assert first["total"] == 10_001
    assert len(first["accounts"]) == PAGE
    second = alice.get(f"/api/accounts?after={first['next']}").get_json()
    assert second["accounts"][0]["name"] == "Person 00049"
    found = alice.get("/api/accounts?q=\uff30ERSON 09999").get_json()
    assert [person["name"] for person in found["accounts"]] == ["Person 09999"]
    assert alice.get("/api/accounts?q=%25").get_json()["total"] == 0
    page = alice.get("/admin/users").text
    assert page.count("<li ") < 2 * PAGE
    assert 'rel="next"' in page


def test_a_person_gets_another_name_which_counts_at_once(
    site: Site, alice: Client, bob: Client, database: Database
) -> None:
    where = f"/admin/users/{user_id(database, 'bob')}"
    assert alice.post(where, data={"name": "Robert"}).status_code == 303
    assert bob.get("/api/session").json["name"] == "Robert"  # type: ignore[index]
    assert log_in(site.browser(), "bob").status_code == 401
    assert log_in(site.browser(), "robert").status_code == 303
    assert alice.post(where, data={"name": "Alice"}).status_code == 409
    assert alice.post(where, data={"name": "<b>"}).status_code == 422
    assert alice.post(where, data={"name": "ROBERT"}).status_code == 303  # only its spelling


def test_everybody_can_change_their_own_name(site: Site, alice: Client, bob: Client) -> None:
    assert bob.post("/account/name", data={"username": "Robert"}).location == "/account?done=name"
    assert bob.get("/api/session").json["name"] == "Robert"  # type: ignore[index]
    answer = bob.post("/account/name", data={"username": "alice"})
    assert (answer.status_code, "That name is taken" in answer.text) == (409, True)


@pytest.mark.on_mysql
def test_of_a_whole_form_all_or_nothing_is_saved(
    alice: Client, bob: Client, database: Database
) -> None:
    where = f"/admin/users/{user_id(database, 'bob')}"
    form = {"name": "Alice", "role": "viewer", "quota": "1 GB", "state": "disabled"}
    assert alice.post(where, data=form).status_code == 409
    found = account(database, "bob")
    assert found is not None
    assert (found.role, found.quota, found.disabled_at) == (Role.UPLOADER, None, None)
    assert alice.post(where, data=form | {"name": "Bob"}).status_code == 303
    found = account(database, "bob")
    assert found is not None
    assert (found.role, found.quota) == (Role.VIEWER, 1_000_000_000)
    assert found.disabled_at is not None


@pytest.mark.on_mysql
def test_deleting_a_person_needs_the_name_and_takes_the_videos_along(
    site: Site, alice: Client, bob: Client, database: Database
) -> None:
    video = put_video(database, "bob")
    where = f"/admin/users/{user_id(database, 'bob')}"
    page = alice.get(where).text
    assert "with its 1 video" in page
    assert alice.post(f"{where}/delete", data={"confirm": "bo"}).status_code == 422
    assert (
        alice.post(f"{where}/delete", data={"confirm": "Bob"}).location
        == "/admin/users?done=deleted"
    )
    assert account(database, "bob") is None
    assert bob.get("/api/session").status_code == 401
    assert alice.get(f"/stream/{video}").status_code == 404
    alices = f"/admin/users/{user_id(database, 'alice')}"
    assert alice.post(f"{alices}/delete", data={"confirm": "alice"}).status_code == 409


def test_it_is_noted_when_people_were_last_seen_every_five_minutes_at_most(
    site: Site, alice: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen() -> object:
        found = account(database, "alice")
        assert found is not None
        return found.last_seen_at

    # Later than this process remembers whom it has noted.
    later = time.monotonic() + 600
    monkeypatch.setattr(time, "monotonic", lambda: later)
    alice.get("/account", buffered=True)
    first = seen()
    assert first is not None
    record_seen(database, user_id(database, "alice"))
    assert seen() == first
    past = update(User).values(last_seen_at=now() - timedelta(minutes=6))
    database.write(lambda session: session.execute(past))
    record_seen(database, user_id(database, "alice"))
    assert "seen just now" in " ".join(alice.get("/admin/users").text.split())


def test_the_home_page_tells_what_needs_attention(
    site: Site, alice: Client, bob: Client, database: Database
) -> None:
    assert "Nothing. Everything works." in alice.get("/admin").text
    video = put_video(database, "bob", size=3_000_000)
    jobs = [
        {"video_id": video, "kind": JobKind.RENDITION, "height": 480, "state": JobState.FAILED},
        {"video_id": video, "kind": JobKind.RENDITION, "height": 720, "state": JobState.WAITING},
    ]
    database.write(lambda session: session.execute(insert(Job), jobs))
    full = {"size": 1_000_000_000_000, "free": 2_000_000_000, "measured_at": now()}
    database.write(lambda session: session.execute(update(Volume).values(**full)))
    page = " ".join(alice.get("/admin").text.replace("\u00a0", " ").split())
    assert "1 processing step has failed" in page
    assert "Little space is left: 2 GB of 1 TB" in page
    assert "All are done in about 1 minute." in page
    assert "3 MB" in page
    assert f'href="/admin/users/{user_id(database, "bob")}"' in page
    database.write(lambda session: session.query(Video).delete())


def test_the_look_is_chosen_for_a_browser(site: Site, alice: Client) -> None:
    assert "data-theme" not in alice.get("/account").text
    assert alice.post("/account/theme", data={"theme": "dark"}).location == "/account?done=theme"
    assert 'data-theme="dark"' in alice.get("/account").text
    alice.post("/account/theme", data={"theme": ""})
    assert "data-theme" not in alice.get("/account").text
    assert alice.post("/account/theme", data={"theme": "<b>"}).status_code == 422


def test_the_api_changes_accounts_invitations_and_settings(
    site: Site, alice: Client, database: Database
) -> None:
    made = alice.post(
        "/api/accounts", json={"username": "Bob", "password": PASSWORD, "role": "viewer"}
    )
    assert made.status_code == 201
    where = f"/api/accounts/{made.get_json()['id']}"
    changed = alice.patch(where, json={"role": "uploader", "quota": "2 GB"}).get_json()
    assert (changed["role"], changed["quota"], changed["state"]) == ("uploader", "2 GB", "active")
    assert alice.patch(where, json={}).status_code == 422
    link = alice.post(f"{where}/password-link", json={})
    assert link.get_json()["url"].startswith("http://localhost/password/")
    assert alice.delete(where).status_code == 204
    assert alice.get(where).status_code == 404
    invited = alice.post("/api/invitations", json={"role": "viewer", "max_uses": None}).get_json()
    [listed] = alice.get("/api/invitations").get_json()["invitations"]
    assert (listed["id"], listed["max_uses"], listed["works"]) == (invited["id"], None, True)
    assert alice.delete(f"/api/invitations/{invited['id']}").status_code == 204
    assert alice.get("/api/invitations").get_json() == {"invitations": []}
    saved = alice.patch("/api/settings", json={"name": "Ours"}).get_json()
    assert saved["settings"]["name"] == "Ours"
