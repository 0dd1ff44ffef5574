"""What the auth service answers while one of its stores is away: no, and soon."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from argon2.profiles import CHEAPEST
from flask.testing import FlaskClient

from auth_service.app import create_app
from auth_service.settings import AuthSettings
from common.settings import CommonSettings
from db.engine import Database
from db.models import Role, User
from tests.auth_service.conftest import PASSWORD, accounts
from tests.conftest import Client, free_ports

FORM = {"username": "alice", "password": PASSWORD}


def client(settings: CommonSettings) -> FlaskClient:
    return create_app(AuthSettings(settings), hash_cost=CHEAPEST).test_client()


@pytest.fixture
def without_redis(common_settings: CommonSettings) -> FlaskClient:
    """The service with nothing listening where Redis should be."""
    return client(replace(common_settings, redis_url=f"redis://127.0.0.1:{free_ports(1)[0]}/0"))


def test_without_redis_nobody_is_signed_in_whatever_the_password(
    alice: Client, without_redis: FlaskClient
) -> None:
    for path, body in (
        ("/login", {"data": FORM}),
        ("/login", {"data": FORM | {"password": "wrong password"}}),
        ("/login", {"data": FORM | {"username": "nobody"}}),
        ("/api/session", {"json": FORM}),
    ):
        began = time.monotonic()
        answer = without_redis.post(path, **body)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert "Set-Cookie" not in answer.headers
        assert time.monotonic() - began < 1.5


def test_without_redis_a_right_password_is_not_told_from_a_wrong_one(
    alice: Client, without_redis: FlaskClient
) -> None:
    """Also once the limits are counted in memory, and so no longer ask for Redis themselves."""
    assert without_redis.post("/register", data=FORM).status_code == 503
    for form in (FORM, FORM | {"password": "wrong password"}):
        assert without_redis.post("/login", data=form).status_code == 503


def test_without_redis_no_account_is_made(without_redis: FlaskClient, database: Database) -> None:
    for _ in range(3):
        assert without_redis.post("/register", data=FORM).status_code == 503
    assert accounts(database) == []


def test_without_redis_pages_that_need_no_session_are_still_shown(
    without_redis: FlaskClient, database: Database
) -> None:
    user = User(name="alice", name_key="alice", password_hash="", role=Role.ADMIN)
    database.write(lambda session: session.add(user))
    for path in ("/login", "/register"):
        assert without_redis.get(path).status_code == 200
    without_redis.set_cookie("matinee_session", "x" * 43)
    for path in ("/", "/account", "/admin", "/api/session"):
        assert without_redis.get(path).status_code == 503
    assert without_redis.post("/logout").status_code == 503


@pytest.mark.on_mysql
def test_without_the_database_the_answer_is_503(
    common_settings: CommonSettings, tmp_path: Path, redis: object
) -> None:
    away = replace(common_settings, database_url=f"sqlite:///{tmp_path}/missing/matinee.db")
    service = client(away)
    for answer in (
        service.post("/login", data=FORM),
        service.post("/register", data=FORM),
        service.post("/api/session", json=FORM),
        service.get("/login"),
    ):
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
