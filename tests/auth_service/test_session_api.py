"""Sessions for scripts."""

import pytest

from common.web.auth import SESSION_COOKIE
from tests.auth_service.conftest import PASSWORD
from tests.conftest import Client, Site

RIGHT = {"username": "alice", "password": PASSWORD}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_token_for_a_name_and_a_password(site: Site, alice: Client) -> None:
    answer = site.browser().post("/api/session", json=RIGHT)
    assert answer.status_code == 201
    assert answer.json is not None
    assert answer.json["user"]["name"] == "alice"
    assert answer.json["user"]["role"] == "admin"
    assert "Set-Cookie" not in answer.headers
    told = site.browser().get("/api/session", headers=bearer(answer.json["token"]))
    assert told.json == answer.json["user"]


def test_signed_out_is_401_in_json(site: Site) -> None:
    answer = site.browser().get("/api/session")
    assert answer.status_code == 401
    assert answer.json is not None
    assert answer.json["error"] == "You are signed out. Sign in to continue."
    assert site.browser().get("/api/session", headers=bearer("made-up")).status_code == 401


def test_a_token_is_dead_once_it_was_ended(site: Site, alice: Client) -> None:
    answer = site.browser().post("/api/session", json=RIGHT)
    assert answer.json is not None
    headers = bearer(answer.json["token"])
    assert site.browser().delete("/api/session", headers=headers).status_code == 204
    assert site.browser().get("/api/session", headers=headers).status_code == 401
    assert site.browser().delete("/api/session", headers=headers).status_code == 204
    assert alice.get("/api/session").status_code == 200


def test_a_browsers_script_can_sign_out_too(alice: Client) -> None:
    assert alice.delete("/api/session").status_code == 204
    assert alice.get_cookie(SESSION_COOKIE) is None
    assert alice.get("/api/session").status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"json": {"username": "alice"}}, 422),
        ({"json": {**RIGHT, "role": "admin"}}, 422),
        ({"json": {"username": ["alice"], "password": PASSWORD}}, 422),
        ({"json": {"username": None, "password": PASSWORD}}, 422),
        ({"json": [RIGHT]}, 422),
        ({"data": RIGHT}, 422),
        ({"data": b"{", "content_type": "application/json"}, 422),
        ({"data": b"\xff\xfe", "content_type": "application/json"}, 422),
        ({"data": b"[" * 50_000, "content_type": "application/json"}, 422),
        ({"data": b'{"username": "alice"}', "content_type": "text/plain"}, 403),
        ({"json": {**RIGHT, "password": "x" * 1001}}, 422),
        ({"json": {**RIGHT, "password": "x" * 1_000_000}}, 413),
        ({"json": {**RIGHT, "password": "\ud800"}}, 401),
    ],
)
def test_another_body_is_refused(
    site: Site, alice: Client, body: dict[str, object], status: int
) -> None:
    answer = site.browser().post("/api/session", **body)
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"]


def test_a_page_posted_with_accept_json_gets_its_refusal_as_json(site: Site, alice: Client) -> None:
    headers = {"Accept": "application/json"}
    form = {"username": "alice", "password": "wrong password"}
    answer = site.browser().post("/login", data=form, headers=headers)
    assert answer.status_code == 401
    assert answer.json == {"error": "The user name or the password is wrong."}


def test_the_cross_site_check_holds_for_scripts_without_a_token(site: Site, alice: Client) -> None:
    headers = {"Origin": "https://evil.example"}
    assert alice.delete("/api/session", headers=headers).status_code == 403
    assert site.browser().post("/api/session", json=RIGHT, headers=headers).status_code == 403
    assert alice.get("/api/session").status_code == 200
