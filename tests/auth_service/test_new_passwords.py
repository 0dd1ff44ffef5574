"""New passwords: which are refused, and how strong one is said to be."""

from typing import Any

import pytest

from auth_service import new_passwords
from auth_service.new_passwords import password_score
from tests.auth_service.conftest import PASSWORD
from tests.conftest import Client, Site


@pytest.mark.parametrize(
    "password", ["12345678", "password1", "qwertyuiop", "matinee1", "alice1990", "a" * 500]
)
def test_what_is_easy_to_guess_is_refused(site: Site, password: str) -> None:
    answer = site.browser().post("/register", data={"username": "alice", "password": password})
    assert answer.status_code == 422
    assert "easy to guess" in answer.text


@pytest.mark.parametrize(
    "password", [PASSWORD, "žluťoučký kůň", "four words in lower case", "🎬🐎🌊🔑"]
)
def test_no_kind_of_character_is_asked_for(password: str) -> None:
    assert password_score(password) >= new_passwords.MIN_SCORE or len(password) < 8


def test_what_takes_long_to_measure_is_measured_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[str] = []

    def measure(password: str, user_inputs: list[str]) -> dict[str, Any]:
        measured.append(password)
        return {"score": 4}

    monkeypatch.setattr(new_passwords, "zxcvbn", measure)
    password_score("x" * 1000)
    password_score("4@8({[<369|1!70$5+7%2" * 4)
    assert max(map(len, measured[:1])) == 72
    assert {len(part) for part in measured[1:]} == {14}


def test_the_strength_is_told_as_one_types(site: Site, alice: Client) -> None:
    def ask(**fields: str) -> Any:
        return site.browser().post("/api/passwords", json=fields).get_json()

    assert ask(password="") == {"score": 0, "accepted": False}
    assert ask(password="robert19", username="Robert") == {"score": 1, "accepted": False}
    assert ask(password=PASSWORD) == {"score": 4, "accepted": True}
    assert ask(password="x4$Kq!")["accepted"] is False  # too short, however random


def test_asking_for_the_strength_is_limited(site: Site, alice: Client) -> None:
    browser = site.browser("10.0.0.9")
    statuses = {
        browser.post("/api/passwords", json={"password": ""}).status_code for _ in range(2001)
    }
    assert statuses == {200, 429}
