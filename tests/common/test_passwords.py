"""What a password may be, and how it is kept."""

import threading
import time
from contextlib import ExitStack

import pytest
from argon2 import extract_parameters
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY

from common.passwords import HashingBusy, InvalidPassword, Passwords
from tests.waiting import wait_until

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
    with pytest.raises(InvalidPassword):
        cheap.hash(password)


def test_a_password_that_is_too_long_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cheap, "_hasher", None)
    for stored in (None, "whatever"):
        with pytest.raises(InvalidPassword):
            cheap.matches("x" * 1001, stored)


def test_nobodys_hash_costs_what_a_real_one_does_and_matches_nothing() -> None:
    assert extract_parameters(cheap._dummy_hash) == extract_parameters(cheap.hash("password"))
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


def test_at_most_eight_wait_for_a_hash_and_the_others_are_refused_at_once() -> None:
    passwords = Passwords(CHEAPEST)
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(passwords._hash_slot())
        waiting = [threading.Thread(target=passwords.hash, args=("password",)) for _ in range(8)]
        for thread in waiting:
            thread.start()
        wait_until(lambda: passwords._places._value == 0)
        for work in (passwords.hash, lambda password: passwords.matches(password, None)):
            with pytest.raises(HashingBusy) as refusal:
                work("password")
            assert refusal.value.status == 503
            assert int(refusal.value.headers["Retry-After"]) > 0
    for thread in waiting:
        thread.join()
    assert passwords.hash("password")
