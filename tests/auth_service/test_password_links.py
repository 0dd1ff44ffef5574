"""One-time links with which somebody sets a new password."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from common.stores.sessions import token_hash
from db.engine import Database
from db.models import PasswordLink, Role, now
from tests.auth_service.conftest import PASSWORD, account, at_once, is_signed_in, log_in, user_id
from tests.conftest import Client, Site

NEW = "another fine password"


def make_link(alice: Client, database: Database) -> str:
    """Make a link for Bob through the page, and return the path of its address."""
    answer = alice.post(f"/admin/users/{user_id(database, 'bob')}/password-link")
    assert answer.status_code == 201, answer.text
    found = re.search(r'value="http://localhost(/password/[^"]+)"', answer.text)
    assert found
    return found[1]


def test_a_link_sets_the_password_once_ends_other_sessions_and_keeps_the_role(
    site: Site, alice: Client, bob: Client, database: Database
) -> None:
    path = make_link(alice, database)
    browser = site.browser()
    assert "bob" in browser.get(path).text
    answer = browser.post(path, data={"password": NEW})
    assert (answer.status_code, answer.location) == (303, "/stream")
    assert is_signed_in(browser)
    assert not is_signed_in(bob)
    assert log_in(site.browser(), "bob").status_code == 401
    assert log_in(site.browser(), "bob", NEW).status_code == 303
    assert account(database, "bob").role is Role.UPLOADER
    assert site.browser().get(path).status_code == 404
    assert site.browser().post(path, data={"password": PASSWORD}).status_code == 404


@pytest.mark.on_mysql
def test_of_many_uses_at_once_one_counts(
    site: Site, alice: Client, bob: Client, database: Database
) -> None:
    path = make_link(alice, database)
    statuses = at_once(8, lambda i: site.browser().post(path, data={"password": f"{NEW} {i}"}))
    assert statuses.count(303) == 1
    assert set(statuses) == {303, 404}


def test_the_token_is_stored_as_a_hash_and_shown_once(
    alice: Client, bob: Client, database: Database
) -> None:
    token = make_link(alice, database).rpartition("/")[2]
    assert len(token) == 43
    row = database.read(lambda session: session.scalars(select(PasswordLink)).one())
    assert row.token_hash == token_hash(token)
    assert timedelta(hours=23) < row.expires_at - now() <= timedelta(hours=24)
    assert token not in alice.get(f"/admin/users/{user_id(database, 'bob')}").text


def test_a_new_link_takes_the_place_of_the_old_one(
    site: Site, alice: Client, bob: Client, database: Database
) -> None:
    first, second = make_link(alice, database), make_link(alice, database)
    assert site.browser().get(first).status_code == 404
    assert site.browser().get(second).status_code == 200


@pytest.mark.parametrize("ends", ["expired", "changed", "disabled", "maker"])
def test_a_link_that_has_ended_sets_no_password(
    site: Site, alice: Client, bob: Client, charlie: Client, database: Database, ends: str
) -> None:
    charlies = f"/admin/users/{user_id(database, 'charlie')}"
    alice.post(charlies, data={"role": "admin"})
    path = make_link(charlie, database)
    if ends == "expired":
        past = update(PasswordLink).values(expires_at=now() - timedelta(seconds=1))
        database.write(lambda session: session.execute(past))
    elif ends == "changed":
        bob.post("/account/password", data={"current": PASSWORD, "password": "yet another horse"})
    elif ends == "disabled":
        bobs = f"/admin/users/{user_id(database, 'bob')}"
        alice.post(bobs, data={"state": "disabled"})
        alice.post(bobs, data={"state": "active"})
    else:
        alice.post(charlies, data={"role": "uploader"})
    answer = site.browser().post(path, data={"password": NEW})
    assert answer.status_code == 404
    assert "does not work any more" in answer.text
    assert log_in(site.browser(), "bob", NEW).status_code == 401


def test_a_weak_password_leaves_the_link(
    site: Site, alice: Client, bob: Client, database: Database
) -> None:
    path = make_link(alice, database)
    for weak in ("short", "password1"):
        assert site.browser().post(path, data={"password": weak}).status_code == 422
    assert site.browser().post(path, data={"password": NEW}).status_code == 303


def test_there_is_no_link_for_oneself_or_a_disabled_account(
    alice: Client, bob: Client, database: Database
) -> None:
    answer = alice.post(f"/admin/users/{user_id(database, 'alice')}/password-link")
    assert (answer.status_code, "on your account page" in answer.text) == (409, True)
    bobs = f"/admin/users/{user_id(database, 'bob')}"
    alice.post(bobs, data={"state": "disabled"})
    assert alice.post(f"{bobs}/password-link").status_code == 409


def test_unknown_links_are_limited_as_wrong_passwords_are(site: Site, alice: Client) -> None:
    browser = site.browser("10.0.0.9")
    for _ in range(10):
        assert browser.get("/password/guessed").status_code == 404
    assert browser.get("/password/guessed").status_code == 429


def test_the_sign_in_page_leads_to_what_to_do_about_a_forgotten_password(
    site: Site, alice: Client
) -> None:
    assert 'href="/password"' in site.browser().get("/login").text
    page = site.browser().get("/password").text
    assert "Ask an administrator" in page
    assert "matinee admin reset-password NAME" in page


def test_tokens_are_in_no_log_line(
    site: Site, alice: Client, bob: Client, database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    path = make_link(alice, database)
    invitation = alice.post("/api/invitations", json={"role": "viewer"}).get_json()["url"]
    invite = invitation.removeprefix("http://localhost")
    capfd.readouterr()
    for where in (path, invite, f"{path}/more"):
        site.browser().get(where)
        site.browser().post(where, data={"password": "short"})
    logged = capfd.readouterr().out
    assert '"path": "/password/..."' in logged
    assert '"path": "/invite/..."' in logged
    for where in (path, invite):
        assert where.rpartition("/")[2] not in logged
