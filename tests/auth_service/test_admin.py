"""Other people's accounts."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from auth_service import user_admin
from common.audit import Actor
from common.fixed_settings import Registration
from common.stores import Stores
from db.engine import Database
from db.models import Role, Video, now
from tests.auth_service.conftest import (
    PASSWORD,
    account,
    accounts,
    at_once,
    log_in,
    put_video,
    user_id,
)
from tests.auth_service.site_settings import set_site
from tests.conftest import Client, Site

NEW = "another fine password"

T = TypeVar("T")


def role_of(browser: Client) -> str | None:
    answer = browser.get("/api/session")
    return answer.json["role"] if answer.json and answer.status_code == 200 else None


def test_the_page_and_its_routes_are_for_administrators(
    site: Site, alice: Client, bob: Client, database: Database
) -> None:
    assert alice.get("/admin").status_code == 200
    assert bob.get("/admin").status_code == 403
    assert site.browser().get("/admin").location == "/login?next=/admin"
    alices = user_id(database, "alice")
    for path in (
        "/admin/users",
        *(f"/admin/users/{alices}{what}" for what in ("", "/password", "/delete")),
    ):
        assert bob.post(path, data={"role": "viewer"}).status_code == 403
        assert site.browser().post(path, data={"role": "viewer"}).status_code == 401
    assert role_of(alice) == "admin"


@pytest.mark.on_mysql
def test_the_page_counts_everybodys_videos_in_few_queries(
    alice: Client, bob: Client, charlie: Client, database: Database, stores: Stores
) -> None:
    put_video(database, "bob", size=1_600_000)
    put_video(database, "bob", size=1_500_000)
    gone = put_video(database, "bob", size=7_000_000)

    def mark(session: object) -> None:
        session.get(Video, gone).deleted_at = now()  # type: ignore[attr-defined]

    database.write(mark)
    alice.get("/admin/users")  # reads the site's settings, which are kept for two seconds
    statements: list[str] = []
    event.listen(
        stores.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2])
    )
    page = alice.get("/admin/users").text.replace("\u00a0", " ")
    # One for the number of accounts, one for those of the page, one for what they store; and for
    # the page's header, one for what is newly shared. The settings are kept for two seconds.
    asked = [one for one in statements if "SELECT" in one and "settings" not in one]
    assert len(asked) == 4
    assert "3.1 MB" in page
    where = [page.index(f'dir="auto">{name}<') for name in ("alice", "bob", "charlie")]
    assert where == sorted(where)


def test_another_role_counts_at_once_in_every_session(
    alice: Client, bob: Client, database: Database
) -> None:
    bobs = user_id(database, "bob")
    for role in ("viewer", "admin", "uploader"):
        answer = alice.post(f"/admin/users/{bobs}", data={"role": role})
        assert answer.location == f"/admin/users/{bobs}?done=saved"
        assert role_of(bob) == role
        assert account(database, "bob").role == role
    assert "changes are saved" in alice.get(f"/admin/users/{bobs}?done=saved").text


@pytest.mark.on_mysql
def test_no_session_may_do_more_than_its_account_if_the_commit_fails(
    alice: Client, bob: Client, database: Database, stores: Stores
) -> None:
    bobs = user_id(database, "bob")

    def fail(_session: Session) -> None:
        raise RuntimeError("the power is out")

    for role in (Role.ADMIN, Role.VIEWER):
        event.listen(Session, "before_commit", fail)
        try:
            with pytest.raises(RuntimeError):
                user_admin.change_user(stores, Actor(None), user_id=bobs, fields={"role": role})
        finally:
            event.remove(Session, "before_commit", fail)
        assert role_of(bob) in ("viewer", "uploader")


class OvertakenDatabase(Database):
    """Runs something else after its first commit."""

    def __init__(self, engine: Engine, overtake: Callable[[], None]) -> None:
        super().__init__(engine)
        self._overtake: list[Callable[[], None]] = [overtake]

    def write(self, work: Callable[[Session], T]) -> T:
        result = super().write(work)
        while self._overtake:
            self._overtake.pop()()
        return result


@pytest.mark.on_mysql
def test_of_two_role_changes_at_once_sessions_get_the_one_that_stays(
    alice: Client, bob: Client, database: Database, stores: Stores
) -> None:
    bobs = user_id(database, "bob")
    overtaken = OvertakenDatabase(
        stores.database.engine,
        lambda: user_admin.change_user(
            stores, Actor(None), user_id=bobs, fields={"role": Role.VIEWER}
        ),
    )
    first = replace(stores, database=overtaken)
    user_admin.change_user(first, Actor(None), user_id=bobs, fields={"role": Role.ADMIN})
    assert role_of(bob) == account(database, "bob").role == Role.VIEWER


@pytest.mark.parametrize("role", ["", "owner", "ADMIN"])
def test_a_role_that_is_not_known_is_422(
    alice: Client, bob: Client, database: Database, role: str
) -> None:
    answer = alice.post(f"/admin/users/{user_id(database, 'bob')}", data={"role": role})
    assert answer.status_code == 422
    assert role_of(bob) == "uploader"


@pytest.mark.parametrize("what", ["", "/password", "/password-link", "/delete"])
def test_an_account_that_is_not_there_is_404(alice: Client, what: str) -> None:
    form = {"role": "viewer", "password": NEW, "confirm": "x"}
    assert alice.post(f"/admin/users/999999{what}", data=form).status_code == 404
    for number in ("99999999999999999999999", "-1", "x"):
        # It may be said of an address with a form that it takes no POST, which is no better.
        assert alice.post(f"/admin/users/{number}{what}", data=form).status_code in (404, 405)
        assert alice.get(f"/admin/users/{number}").status_code == 404


def test_disabling_ends_sessions_at_once_and_enabling_lets_in_again(
    site: Site, alice: Client, bob: Client, database: Database
) -> None:
    bobs = user_id(database, "bob")
    where = f"/admin/users/{bobs}"
    assert alice.post(where, data={"state": "disabled"}).location == f"{where}?done=saved"
    assert role_of(bob) is None
    assert log_in(site.browser(), "bob").status_code == 403
    assert 'class="is-disabled"' in alice.get("/admin/users").text
    assert alice.post(where, data={"state": "active"}).location == f"{where}?done=saved"
    assert role_of(bob) is None
    assert log_in(site.browser(), "bob").status_code == 303


@pytest.mark.on_mysql
def test_the_last_administrator_can_be_neither_demoted_nor_disabled(
    alice: Client, bob: Client, database: Database
) -> None:
    alices = user_id(database, "alice")
    for form in ({"role": "viewer"}, {"state": "disabled"}):
        answer = alice.post(f"/admin/users/{alices}", data=form)
        assert answer.status_code == 409
        assert "only administrator" in answer.text
    assert role_of(alice) == "admin"


def test_a_disabled_administrator_does_not_count_as_another(
    alice: Client, bob: Client, database: Database
) -> None:
    bobs = user_id(database, "bob")
    alice.post(f"/admin/users/{bobs}", data={"role": "admin"})
    alice.post(f"/admin/users/{bobs}", data={"state": "disabled"})
    answer = alice.post("/account/delete", data={"password": PASSWORD})
    assert answer.status_code == 409


@pytest.mark.on_mysql
def test_two_administrators_cannot_demote_each_other(
    alice: Client, bob: Client, database: Database
) -> None:
    ids = [user_id(database, "alice"), user_id(database, "bob")]
    alice.post(f"/admin/users/{ids[1]}", data={"role": "admin"})
    both = [alice, bob]
    at_once(2, lambda i: both[i].post(f"/admin/users/{ids[1 - i]}", data={"role": "viewer"}))
    assert sorted(user.role for user in accounts(database)) == [Role.ADMIN, Role.VIEWER]


def test_an_administrator_who_steps_down_is_led_to_the_account_page(
    alice: Client, bob: Client, database: Database
) -> None:
    alice.post(f"/admin/users/{user_id(database, 'bob')}", data={"role": "admin"})
    answer = alice.post(f"/admin/users/{user_id(database, 'alice')}", data={"role": "uploader"})
    assert answer.location == "/account"
    assert role_of(alice) == "uploader"


def test_an_administrator_makes_accounts_even_with_registration_closed(
    site: Site, alice: Client
) -> None:
    set_site(site, registration=Registration.CLOSED)
    form = {"username": "Bob", "password": PASSWORD, "role": "viewer"}
    assert alice.post("/admin/users", data=form).location == "/admin/users?done=added"
    browser = site.browser()
    assert log_in(browser, "bob").status_code == 303
    assert role_of(browser) == "viewer"
    assert role_of(alice) == "admin"


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"username": "alice", "password": PASSWORD, "role": "viewer"}, 409),
        ({"username": "<b>", "password": PASSWORD, "role": "viewer"}, 422),
        ({"username": "bob", "password": "short", "role": "viewer"}, 422),
        ({"username": "bob", "password": PASSWORD, "role": "owner"}, 422),
        ({"username": "bob", "password": PASSWORD}, 422),
    ],
)
def test_what_cannot_become_an_account_is_refused_on_the_page(
    alice: Client, database: Database, form: dict[str, str], status: int
) -> None:
    answer = alice.post("/admin/users", data=form)
    assert answer.status_code == status
    assert PASSWORD not in answer.text
    assert len(accounts(database)) == 1


def test_an_administrator_resets_a_password_and_the_role_stays(
    site: Site, alice: Client, bob: Client, database: Database
) -> None:
    bobs = user_id(database, "bob")
    answer = alice.post(f"/admin/users/{bobs}/password", data={"password": NEW})
    assert answer.location == f"/admin/users/{bobs}?done=password"
    assert "signed out everywhere" in alice.get(f"/admin/users/{bobs}?done=password").text
    assert role_of(bob) is None
    assert log_in(site.browser(), "bob").status_code == 401
    browser = site.browser()
    assert log_in(browser, "bob", NEW).status_code == 303
    assert role_of(browser) == "uploader"
    assert role_of(alice) == "admin"


def test_a_reset_password_does_not_enable_a_disabled_account(
    site: Site, alice: Client, bob: Client, database: Database
) -> None:
    bobs = user_id(database, "bob")
    alice.post(f"/admin/users/{bobs}", data={"state": "disabled"})
    alice.post(f"/admin/users/{bobs}/password", data={"password": NEW})
    assert log_in(site.browser(), "bob", NEW).status_code == 403


def test_a_reset_password_of_an_invalid_length_is_refused_on_the_page(
    alice: Client, bob: Client, database: Database
) -> None:
    bobs = user_id(database, "bob")
    answer = alice.post(f"/admin/users/{bobs}/password", data={"password": "short"})
    assert answer.status_code == 422
    assert "at least 8 characters" in answer.text
    assert re.search(r"<details[^>]* open>", answer.text)
    assert role_of(bob) == "uploader"


def test_an_administrators_own_password_needs_the_current_one(
    site: Site, alice: Client, database: Database
) -> None:
    alices = user_id(database, "alice")
    answer = alice.post(f"/admin/users/{alices}/password", data={"password": NEW})
    assert answer.status_code == 409
    assert "on your account page" in answer.text
    assert log_in(site.browser(), "alice").status_code == 303
