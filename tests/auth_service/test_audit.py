"""What the audit log says of accounts: an entry for each change, in its transaction."""

import json

import pytest
from sqlalchemy import select

from auth_service import user_admin
from common.audit import Actor
from common.stores import Stores
from db.engine import Database
from db.models import AuditEntry, Role
from tests.auth_service.conftest import user_id
from tests.conftest import Client

pytestmark = pytest.mark.on_mysql

PASSWORD = "another horse battery"


def entries(database: Database, object_id: int) -> list[AuditEntry]:
    """Return the entries about an account, the oldest first."""
    wanted = select(AuditEntry).where(
        AuditEntry.object_id == str(object_id), AuditEntry.action.like("account.%")
    )
    return database.read(lambda session: list(session.scalars(wanted.order_by(AuditEntry.id))))


def test_each_change_of_an_account_is_recorded(
    alice: Client, bob: Client, database: Database
) -> None:
    bobs, alices = user_id(database, "bob"), user_id(database, "alice")
    for change, form in (
        ("", {"role": "viewer"}),
        ("", {"state": "disabled"}),
        ("", {"state": "active", "role": "viewer"}),
        ("", {"quota": "1 GB"}),
        ("", {"name": "Robert"}),
        ("/password-link", {}),
        ("/password", {"password": PASSWORD}),
    ):
        answer = alice.post(f"/admin/users/{bobs}{change}", data=form)
        assert answer.status_code == (201 if "link" in change else 303)

    found = entries(database, bobs)

    assert [entry.action for entry in found] == [
        "account.created",
        "account.role",
        "account.disabled",
        "account.enabled",
        "account.quota",
        "account.renamed",
        "account.password_link",
        "account.password",
    ]
    assert found[0].actor_id is None
    assert {(entry.actor_id, entry.actor_name) for entry in found[1:]} == {(alices, "alice")}
    assert all(entry.address == "127.0.0.1" and entry.request_id for entry in found)
    details = json.loads(found[1].details)
    assert details == {"name": "bob", "before": "uploader", "role": "viewer"}
    assert PASSWORD not in "".join(entry.details for entry in found)


def test_what_people_do_with_their_own_account_is_recorded(bob: Client, database: Database) -> None:
    bobs = user_id(database, "bob")
    form = {"current": "correct horse battery", "password": PASSWORD}
    assert bob.post("/account/password", data=form).status_code == 303
    assert bob.post("/account/delete", data={"password": PASSWORD}).status_code == 303

    found = entries(database, bobs)

    assert [entry.action for entry in found][1:] == ["account.password", "account.deleted"]
    assert all(entry.actor_id == bobs for entry in found[1:])


def test_a_change_that_fails_leaves_no_entry(
    alice: Client, bob: Client, database: Database
) -> None:
    alices = user_id(database, "alice")
    before = len(entries(database, alices))

    assert alice.post(f"/admin/users/{alices}", data={"role": "viewer"}).status_code == 409

    assert len(entries(database, alices)) == before


def test_an_operators_command_names_nobody(stores: Stores, bob: Client, database: Database) -> None:
    bobs = user_id(database, "bob")
    operator = Actor(None, address="command line")

    user_admin.reset_password(
        stores, operator, user_id=bobs, password_hash="-", role=Role.ADMIN, enable=True
    )

    found = entries(database, bobs)[1:]
    assert [entry.action for entry in found] == ["account.password", "account.role"]
    assert {(entry.actor_id, entry.address) for entry in found} == {(None, "command line")}
