"""Making an account for oneself."""

from collections.abc import Callable
from copy import copy
from typing import Any

import pytest
from limits import RateLimitItemPerHour

from auth_service import accounts as rules
from auth_service.accounts import find_account
from common.fixed_settings import Registration
from common.web.auth import SESSION_COOKIE
from db.engine import Database
from db.models import Role
from tests.auth_service.conftest import PASSWORD, accounts, at_once, log_in
from tests.auth_service.site_settings import set_site
from tests.conftest import Client, Site


def send(browser: Client, name: str, password: str = PASSWORD) -> int:
    answer = browser.post("/register", data={"username": name, "password": password})
    return answer.status_code


def register_at_once(site: Site, count: int, name: str) -> list[int]:
    """Make accounts from as many networks; `{}` in the name is the number of each."""
    return at_once(
        count,
        lambda i: site.browser(f"10.0.0.{i}").post(
            "/register", data={"username": name.format(i), "password": PASSWORD}
        ),
    )


def close_registration(site: Site) -> None:
    set_site(site, registration=Registration.CLOSED)


def blind_at_first(look: Callable[..., Any]) -> Callable[..., Any]:
    """Look, and find nothing the first time."""
    looked: list[bool] = []

    def first_nothing(*args: Any, **options: Any) -> Any:
        looked.append(True)
        return None if len(looked) == 1 else look(*args, **options)

    return first_nothing


def test_the_first_account_is_the_administrators_and_the_page_says_so(
    site: Site, database: Database
) -> None:
    for path in ("/", "/login"):
        assert site.browser().get(path).location == "/register"
    assert "will be the administrator" in site.browser().get("/register").text
    site.sign_up("alice")
    site.sign_up("bob")
    assert [user.role for user in accounts(database)] == [Role.ADMIN, Role.UPLOADER]
    assert "will be the administrator" not in site.browser().get("/register").text


def test_who_registers_is_signed_in(site: Site) -> None:
    browser = site.browser()
    answer = browser.post("/register", data={"username": "Alice", "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/admin/setup")
    assert browser.get("/api/session").json["name"] == "Alice"  # type: ignore[index]
    answer = site.browser().post("/register", data={"username": "Bob", "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/stream")


@pytest.mark.on_mysql
def test_a_name_that_is_taken_is_409(site: Site, alice: Client, database: Database) -> None:
    for spelling in ("alice", "Alice", "\uff41\uff4c\uff49\uff43\uff45", "alice "):
        answer = site.browser().post(
            "/register", data={"username": spelling, "password": "another password"}
        )
        assert answer.status_code == 409
        assert "taken" in answer.text
        assert SESSION_COOKIE not in answer.headers.get("Set-Cookie", "")
    assert len(accounts(database)) == 1


@pytest.mark.on_mysql
def test_fifty_registrations_of_one_name_at_once_make_exactly_one_account(
    site: Site, alice: Client, database: Database
) -> None:
    assert register_at_once(site, 50, "bob") == [303] + [409] * 49
    assert len(accounts(database)) == 2


@pytest.mark.on_mysql
def test_fifty_first_registrations_at_once_make_exactly_one_administrator(
    site: Site, database: Database
) -> None:
    assert register_at_once(site, 50, "person {}") == [303] * 50
    roles = [user.role for user in accounts(database)]
    assert (roles.count(Role.ADMIN), roles.count(Role.UPLOADER)) == (1, 49)


@pytest.mark.on_mysql
def test_who_missed_that_somebody_else_came_first_is_no_administrator(
    site: Site, alice: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two transactions may both find nobody there; the column decides between them."""
    monkeypatch.setattr(rules, "_lock_first", blind_at_first(rules._lock_first))
    assert send(site.browser(), "bob") == 303
    assert [user.role for user in accounts(database)] == [Role.ADMIN, Role.UPLOADER]


@pytest.mark.on_mysql
def test_who_missed_that_a_name_was_taken_is_told(
    site: Site, alice: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = rules.find_account
    monkeypatch.setattr(rules, "find_account", blind_at_first(blind_at_first(find)))
    assert send(site.browser(), "alice") == 409
    assert len(accounts(database)) == 1


@pytest.mark.on_mysql
def test_with_registration_closed_only_one_of_many_first_registrations_gets_in(
    site: Site, database: Database
) -> None:
    close_registration(site)
    assert register_at_once(site, 20, "person {}") == [303] + [403] * 19
    assert [user.role for user in accounts(database)] == [Role.ADMIN]


@pytest.mark.parametrize(
    "name", ["%", "' OR 1=1 --", '"; DROP TABLE users', "<b>x</b>", "a\x00b", ""]
)
def test_a_name_with_quotes_sql_or_markup_is_422(site: Site, database: Database, name: str) -> None:
    answer = site.browser().post("/register", data={"username": name, "password": PASSWORD})
    assert answer.status_code == 422
    assert "letters or digits" in answer.text
    assert "<b>x" not in answer.text
    assert accounts(database) == []


@pytest.mark.parametrize("password", ["", "short", "x" * 1001])
def test_a_password_of_an_unfit_length_is_422(
    site: Site, database: Database, password: str
) -> None:
    answer = site.browser().post("/register", data={"username": "alice", "password": password})
    assert answer.status_code == 422
    assert "characters" in answer.text
    assert accounts(database) == []


def test_a_password_of_a_megabyte_is_refused_without_a_hash(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.apps["auth"].extensions["matinee"].passwords, "_hasher", None)
    for path in ("/register", "/login"):
        answer = site.browser().post(path, data={"username": "alice", "password": "x" * 1_000_000})
        assert answer.status_code == 413


def test_closed_registration_says_so_and_makes_no_account(
    site: Site, alice: Client, database: Database
) -> None:
    close_registration(site)
    assert "Registration is closed" in site.browser().get("/register").text
    assert send(site.browser(), "bob") == 403
    assert send(site.browser(), "alice") == 403  # nor does it tell who is there
    assert find_account(database, key="bob") is None


def test_the_first_account_can_be_made_with_registration_closed(site: Site) -> None:
    close_registration(site)
    assert "Create your account" in site.browser().get("/register").text
    assert send(site.browser(), "alice") == 303


def test_who_is_signed_in_makes_no_second_account(alice: Client, database: Database) -> None:
    answer = alice.post("/register", data={"username": "alice two", "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/stream")
    assert alice.get("/api/session").json["name"] == "alice"  # type: ignore[index]
    assert len(accounts(database)) == 1


def test_a_user_who_is_signed_in_is_redirected_from_the_form(alice: Client) -> None:
    answer = alice.get("/register")
    assert (answer.status_code, answer.location) == (303, "/stream")


def limit_registrations(site: Site, per_hour: int) -> None:
    services = site.apps["auth"].extensions["matinee"]
    services.registrations = copy(services.registrations)
    services.registrations._per_hour = RateLimitItemPerHour(per_hour, 1, namespace="registered")


def test_simultaneous_registrations_do_not_exceed_the_limit(
    site: Site, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two more are sent while the password of the last that is allowed is being hashed."""
    limit_registrations(site, 2)
    passwords = site.apps["auth"].extensions["matinee"].passwords
    hash_password = passwords.hash
    statuses = [send(site.browser(), "one")]

    def slowly(password: str) -> str:
        monkeypatch.setattr(passwords, "hash", hash_password)
        statuses.extend(send(site.browser(), name) for name in ("three", "four"))
        return str(hash_password(password))

    monkeypatch.setattr(passwords, "hash", slowly)
    assert send(site.browser(), "two") == 303
    assert statuses == [303, 429, 429]
    assert [user.name for user in accounts(database)] == ["one", "two"]


def test_a_registration_that_fails_does_not_count(site: Site, alice: Client) -> None:
    limit_registrations(site, 1)
    for _ in range(3):
        assert send(site.browser(), "bob", "short") == 422
    assert send(site.browser(), "bob") == 303
    assert send(site.browser(), "charlie") == 429


def test_sixty_accounts_an_hour_from_one_address(site: Site) -> None:
    for i in range(60):
        assert send(site.browser("10.0.0.1"), f"person {i}") == 303
    answer = site.browser("10.0.0.1").post(
        "/register", data={"username": "one more", "password": PASSWORD}
    )
    assert answer.status_code == 429
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    assert "tried too often" in answer.text
    assert send(site.browser("10.0.0.2"), "one more") == 303


def test_attempts_to_register_are_limited_too(site: Site, alice: Client) -> None:
    browser = site.browser("10.0.0.1")
    for _ in range(300):
        assert send(browser, "%") == 422
    answer = browser.post("/register", data={"username": "bob", "password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 3600
    assert browser.get("/register").status_code == 200
    assert log_in(browser, "alice").status_code == 303
