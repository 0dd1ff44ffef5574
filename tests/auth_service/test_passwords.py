"""What a password may be, and how it is kept."""

import threading
import time

import pytest
from argon2 import extract_parameters
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY

from auth_service import passwords as module
from auth_service.passwords import HashingBusy, Passwords, UnfitPassword

cheap = Passwords(CHEAPEST)


def test_the_cost_is_that_of_rfc_9106_for_little_memory() -> None:
    stored = Passwords().hash("correct horse battery")
    assert stored.startswith("$argon2id$")
    assert extract_parameters(stored) == RFC_9106_LOW_MEMORY


def test_a_hash_fits_its_column() -> None:
    assert len(Passwords().hash("correct horse battery")) <= 255


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x" * 72 + "a", "x" * 72 + "b"),
        ("x" * 999 + "a", "x" * 999 + "b"),
        ("password\x00a", "password\x00b"),
        ("password\x00", "password"),
        ("emoji 🎬🎬🎬", "emoji 🎥🎥🎥"),
        (" password", "password"),
        ("password ", "password"),
        ("Password", "password"),
        ("\uff50assword", "password"),
        ("password\ud800", "password\ud801"),
    ],
)
def test_passwords_that_differ_anywhere_are_different(one: str, other: str) -> None:
    stored = cheap.hash(one)
    assert cheap.matches(one, stored)
    assert not cheap.matches(other, stored)


def test_a_composed_letter_is_the_same_however_it_was_typed() -> None:
    assert cheap.matches("cafe\u0301 noir", cheap.hash("caf\u00e9 noir"))


@pytest.mark.parametrize("password", ["", "x" * 7, "x" * 1001])
def test_a_password_of_an_unfit_length_is_not_hashed(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cheap, "_hasher", None)
    with pytest.raises(UnfitPassword):
        cheap.hash(password)


def test_a_password_that_is_too_long_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cheap, "_hasher", None)
    for stored in (None, "whatever"):
        with pytest.raises(UnfitPassword):
            cheap.matches("x" * 1001, stored)


def test_nobodys_hash_costs_what_a_real_one_does_and_matches_nothing() -> None:
    assert extract_parameters(cheap._nobodys) == extract_parameters(cheap.hash("password"))
    assert not cheap.matches("password", None)
    assert not cheap.matches("", None)


def test_a_hash_of_another_cost_is_outdated_and_still_checked() -> None:
    stored = cheap.hash("password")
    assert not cheap.is_outdated(stored)
    assert Passwords().is_outdated(stored)
    assert Passwords().matches("password", stored)


def test_only_two_hashes_are_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(CHEAPEST)
    working, most = 0, 0
    lock = threading.Lock()

    class SlowHasher:
        def hash(self, _secret: bytes) -> str:
            nonlocal working, most
            with lock:
                working += 1
                most = max(most, working)
            time.sleep(0.01)
            with lock:
                working -= 1
            return "hash"

    monkeypatch.setattr(passwords, "_hasher", SlowHasher())
    threads = [threading.Thread(target=passwords.hash, args=("password",)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_who_gets_no_turn_in_time_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.01)
    passwords = Passwords(CHEAPEST)
    with passwords._turn(), passwords._turn(), pytest.raises(HashingBusy) as refusal:
        passwords.hash("password")
    assert refusal.value.status == 503
    assert passwords.hash("password")
