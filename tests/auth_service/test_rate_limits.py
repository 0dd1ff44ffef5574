"""How often somebody may try."""

from dataclasses import replace

import pytest
from argon2.profiles import CHEAPEST
from werkzeug.test import TestResponse

from auth_service.app import create_app
from auth_service.settings import AuthSettings
from common.settings import CommonSettings
from tests.auth_service.conftest import PASSWORD, at_once, log_in
from tests.conftest import Client, Site


def wrong(site: Site, name: str = "alice", address: str = "10.0.0.1", **options: object) -> int:
    return log_in(site.browser(address), name, "wrong password", **options).status_code


@pytest.mark.parametrize("name", ["alice", "nobody", "%"])
def test_after_ten_wrong_passwords_for_one_name_it_is_429(
    site: Site, alice: Client, name: str
) -> None:
    statuses = [wrong(site, name) for _ in range(20)]
    assert statuses == [401] * 10 + [429] * 10
    answer = log_in(site.browser("10.0.0.1"), name)
    assert answer.status_code == 429
    assert 800 < int(answer.headers["Retry-After"]) <= 900
    assert "Try again in 15 minutes" in answer.text


def test_the_right_password_from_elsewhere_still_works(site: Site, alice: Client) -> None:
    for _ in range(11):
        wrong(site)
    assert log_in(site.browser("10.0.0.1"), "alice").status_code == 429
    assert log_in(site.browser("10.0.0.2"), "alice").status_code == 303


def test_another_name_from_the_same_address_still_works(
    site: Site, alice: Client, bob: Client
) -> None:
    for _ in range(11):
        wrong(site)
    assert log_in(site.browser("10.0.0.1"), "bob").status_code == 303


def test_one_wrong_password_each_for_many_accounts_is_429(site: Site, alice: Client) -> None:
    statuses = [wrong(site, f"person {i}") for i in range(120)]
    assert statuses == [401] * 100 + [429] * 20
    assert log_in(site.browser("10.0.0.1"), "alice").status_code == 429
    assert log_in(site.browser("10.0.0.2"), "alice").status_code == 303


def test_spellings_of_one_name_count_together(site: Site, alice: Client) -> None:
    spellings = ["alice", "Alice", "ALICE ", "\uff41\uff4c\uff49\uff43\uff45"]
    statuses = [wrong(site, spellings[i % 4]) for i in range(12)]
    assert statuses == [401] * 10 + [429] * 2


def test_right_passwords_do_not_count(site: Site, alice: Client) -> None:
    for _ in range(30):
        assert log_in(site.browser("10.0.0.1"), "alice").status_code == 303


def test_a_burst_of_wrong_passwords_gets_no_more_answers_than_one_after_another(
    site: Site, alice: Client
) -> None:
    statuses = at_once(40, lambda _: log_in(site.browser("10.0.0.1"), "alice", "wrong password"))
    assert statuses == [401] * 10 + [429] * 30


def test_a_right_guess_in_a_burst_is_not_told_from_the_wrong_ones(
    site: Site, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tries are used up by others while the right password is being hashed."""
    passwords = site.apps["auth"].extensions["matinee"].passwords
    matches = passwords.matches

    def slowly(password: str, stored: str | None) -> bool:
        monkeypatch.setattr(passwords, "matches", matches)
        for _ in range(10):
            wrong(site)
        return bool(matches(password, stored))

    monkeypatch.setattr(passwords, "matches", slowly)
    answer = log_in(site.browser("10.0.0.1"), "alice")
    assert answer.status_code == 429
    assert "Set-Cookie" not in answer.headers


def test_scripts_and_pages_share_the_limit_and_scripts_get_json(site: Site, alice: Client) -> None:
    for _ in range(10):
        wrong(site)
    answer = site.browser("10.0.0.1").post(
        "/api/session", json={"username": "alice", "password": PASSWORD}
    )
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json is not None
    assert "tried too often" in answer.json["error"]


def test_a_forged_forwarded_address_changes_nothing(site: Site, alice: Client) -> None:
    statuses = [
        wrong(site, headers={"X-Forwarded-For": f"10.9.9.{i}", "Forwarded": f"for=10.9.9.{i}"})
        for i in range(12)
    ]
    assert statuses == [401] * 10 + [429] * 2


def test_behind_the_gateway_only_what_the_gateway_added_counts(
    common_settings: CommonSettings,
) -> None:
    settings = AuthSettings(replace(common_settings, trust_gateway=True))
    client = create_app(settings, hash_cost=CHEAPEST).test_client()

    def attempt(i: int, real: str) -> TestResponse:
        form = {"username": "alice", "password": "wrong password"}
        return client.post("/login", data=form, headers={"X-Forwarded-For": f"10.9.9.{i}, {real}"})

    assert [attempt(i, "10.0.0.1").status_code for i in range(12)] == [401] * 10 + [429] * 2
    assert attempt(0, "10.0.0.2").status_code == 401


def test_addresses_of_one_ipv6_line_count_together(site: Site, alice: Client) -> None:
    statuses = [wrong(site, address=f"2001:db8::{i:x}") for i in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    assert wrong(site, address="2001:db8:0:1::1") == 401


def test_repeating_the_password_is_limited_like_signing_in(site: Site, alice: Client) -> None:
    form = {"current": "wrong password", "password": "a new password"}
    statuses = [alice.post("/account/password", data=form).status_code for _ in range(6)]
    form = {"password": "wrong password"}
    statuses += [alice.post("/account/delete", data=form).status_code for _ in range(6)]
    assert statuses == [403] * 10 + [429] * 2
    form = {"current": PASSWORD, "password": "a new password"}
    assert alice.post("/account/password", data=form).status_code == 429
    assert log_in(site.browser("127.0.0.1"), "alice").status_code == 429


def test_limits_are_counted_for_all_processes_together(
    site: Site, alice: Client, common_settings: CommonSettings
) -> None:
    settings = AuthSettings(common_settings)
    other = create_app(settings, hash_cost=CHEAPEST).test_client()
    for _ in range(10):
        wrong(site, address="127.0.0.1")
    form = {"username": "alice", "password": PASSWORD}
    assert other.post("/login", data=form).status_code == 429


def test_an_account_tries_thirty_names_in_an_hour(alice: Client, bob: Client) -> None:
    tries = [bob.post("/account/name", data={"username": "alice"}) for _ in range(31)]
    assert [answer.status_code for answer in tries] == [409] * 30 + [429]
    assert bob.post("/account/name", data={"username": "robert"}).status_code == 429
    assert alice.post("/account/name", data={"username": "alicia"}).status_code == 303
