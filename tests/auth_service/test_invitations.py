"""Invitations: links with which people make accounts."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from auth_service.accounts import find_account
from common.fixed_settings import Registration
from common.stores.sessions import token_hash
from db.engine import Database
from db.models import AuditEntry, GroupMember, Invitation, Role, now
from tests.auth_service.conftest import PASSWORD, account, accounts, at_once, user_id
from tests.auth_service.site_settings import set_site
from tests.conftest import Client, Site


def invite(alice: Client, **fields: Any) -> str:
    """Make an invitation through the page, and return the path of its address."""
    form = {"role": "viewer", "uses": "1", "days": "14"} | fields
    answer = alice.post("/admin/invitations", data=form)
    assert answer.status_code == 201, answer.text
    found = re.search(r'value="http://localhost(/invite/[^"]+)"', answer.text)
    assert found
    return found[1]


def accept(site: Site, path: str, name: str) -> int:
    form = {"username": name, "password": PASSWORD}
    return site.browser().post(path, data=form).status_code


def test_an_invited_person_sees_who_invites_and_makes_an_account(
    site: Site, alice: Client, database: Database
) -> None:
    set_site(site, registration=Registration.CLOSED, name="Family films")
    path = invite(alice, label="For Bob", role="uploader")
    browser = site.browser()
    page = browser.get(path).text
    assert "Create your account" in page
    assert "alice invites you to Family films" in page
    answer = browser.post(path, data={"username": "Bob", "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/stream")
    assert browser.get("/api/session").json["name"] == "Bob"  # type: ignore[index]
    assert account(database, "bob").role is Role.UPLOADER


def test_the_token_is_long_random_stored_as_a_hash_and_shown_once(
    alice: Client, database: Database
) -> None:
    token = invite(alice).rpartition("/")[2]
    assert len(token) == 43
    row = database.read(lambda session: session.scalars(select(Invitation)).one())
    assert row.token_hash == token_hash(token)
    assert token not in alice.get("/admin/invitations").text
    logged = database.read(lambda session: list(session.scalars(select(AuditEntry.details))))
    assert token not in "".join(logged)


@pytest.mark.on_mysql
def test_fifty_at_once_on_an_invitation_for_three_make_exactly_three_accounts(
    site: Site, alice: Client, database: Database
) -> None:
    path = invite(alice, uses="3")
    statuses = at_once(
        50,
        lambda i: site.browser(f"10.0.0.{i}").post(
            path, data={"username": f"person {i}", "password": PASSWORD}
        ),
    )
    assert statuses.count(303) == 3
    assert set(statuses) <= {303, 404, 429}
    assert len(accounts(database)) == 4
    row = database.read(lambda session: session.scalars(select(Invitation)).one())
    assert row.uses == 3


@pytest.mark.on_mysql
def test_an_account_that_is_not_made_does_not_count_as_a_use(site: Site, alice: Client) -> None:
    path = invite(alice)
    assert accept(site, path, "alice") == 409
    assert accept(site, path, "%") == 422
    weak = {"username": "bob", "password": "password1"}
    assert site.browser().post(path, data=weak).status_code == 422
    assert accept(site, path, "bob") == 303
    assert accept(site, path, "charlie") == 404


@pytest.mark.on_mysql
def test_an_invited_person_joins_the_groups(site: Site, alice: Client, database: Database) -> None:
    group = alice.post("/api/groups", json={"name": "Family"}).get_json()["id"]
    assert accept(site, invite(alice, group=group), "bob") == 303
    members = database.read(
        lambda session: list(
            session.scalars(select(GroupMember.user_id).where(GroupMember.group_id == group))
        )
    )
    assert sorted(members) == [user_id(database, "alice"), user_id(database, "bob")]


def test_a_group_that_the_administrator_does_not_manage_is_refused(
    alice: Client, bob: Client
) -> None:
    group = bob.post("/api/groups", json={"name": "Others"}).get_json()["id"]
    form = {"role": "viewer", "uses": "1", "days": "1", "group": group}
    assert alice.post("/admin/invitations", data=form).status_code == 422
    unpaired = {"role": "viewer", "groups": ["\ud800"]}
    assert alice.post("/api/invitations", json=unpaired).status_code == 422


@pytest.mark.parametrize("ends", ["revoked", "expired", "demoted", "disabled"])
def test_an_invitation_that_has_ended_looks_like_one_that_never_was(
    site: Site, alice: Client, bob: Client, database: Database, ends: str
) -> None:
    alice.post(f"/admin/users/{user_id(database, 'bob')}", data={"role": "admin"})
    path = invite(bob, uses="")
    bobs = f"/admin/users/{user_id(database, 'bob')}"
    if ends == "revoked":
        row = database.read(lambda session: session.scalars(select(Invitation)).one())
        assert alice.post(f"/admin/invitations/{row.id}/revoke").status_code == 303
    elif ends == "expired":
        past = update(Invitation).values(expires_at=now() - timedelta(seconds=1))
        database.write(lambda session: session.execute(past))
    else:
        form = {"role": "viewer"} if ends == "demoted" else {"state": "disabled"}
        assert alice.post(bobs, data=form).status_code == 303
    assert accept(site, path, "charlie") == 404
    gone = site.browser().get(path)
    assert (gone.status_code, "does not work any more" in gone.text) == (404, True)
    assert site.browser().get("/invite/" + "x" * 43).status_code == 404
    assert find_account(database, key="charlie") is None


def test_unknown_invitations_are_limited_as_wrong_passwords_are(site: Site, alice: Client) -> None:
    browser = site.browser("10.0.0.9")
    for _ in range(10):
        assert browser.get("/invite/guessed").status_code == 404
    assert browser.get("/invite/guessed").status_code == 429
    # Neither another invitation nor another network is refused because of it.
    path = invite(alice)
    assert browser.get(path).status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"role": "admin"},
        {"role": "owner"},
        {"uses": "0"},
        {"uses": "1001"},
        {"uses": "many"},
        {"days": "366"},
        {"label": "x" * 101},
    ],
)
def test_what_is_no_invitation_is_refused(alice: Client, fields: dict[str, str]) -> None:
    form = {"role": "viewer", "uses": "1", "days": "14"} | fields
    answer = alice.post("/admin/invitations", data=form)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_only_administrators_see_and_make_invitations(alice: Client, bob: Client) -> None:
    assert bob.get("/admin/invitations").status_code == 403
    assert bob.post("/admin/invitations", data={"role": "viewer"}).status_code == 403


def test_who_is_signed_in_makes_no_second_account_by_an_invitation(
    alice: Client, bob: Client, database: Database
) -> None:
    path = invite(alice)
    assert "signed in as bob" in bob.get(path).text
    answer = bob.post(path, data={"username": "bob two", "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/stream")
    assert len(accounts(database)) == 2


def test_the_list_tells_uses_and_end_and_the_log_tells_all(
    site: Site, alice: Client, database: Database
) -> None:
    accept(site, invite(alice, label="Grandparents", uses="2"), "bob")
    page = " ".join(alice.get("/admin/invitations").text.split())
    assert "Grandparents" in page
    assert "used 1 of 2 times" in page
    wanted = select(AuditEntry.action).where(AuditEntry.action.like("invitation.%"))
    found = database.read(lambda session: list(session.scalars(wanted)))
    assert found == ["invitation.created", "invitation.used"]
