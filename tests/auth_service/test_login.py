"""Signing in and out: what is refused, what is not told, and which sessions live on."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from argon2 import extract_parameters
from argon2.profiles import CHEAPEST
from sqlalchemy.orm import Session

from auth_service import login, user_admin
from auth_service.accounts import replace_hash, viewer_for
from auth_service.usernames import parse_name
from common.audit import Actor
from common.passwords import Passwords
from common.stores import Stores
from common.web.auth import SESSION_COOKIE
from db.engine import Database
from db.models import Role, User
from tests.auth_service.conftest import (
    PASSWORD,
    account,
    accounts,
    log_in,
    put_video,
    user_id,
)
from tests.conftest import Client, Site


def cookie_of(browser: Client) -> str:
    cookie = browser.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    return cookie.value


def is_signed_in(site: Site, token: str) -> bool:
    browser = site.browser()
    browser.set_cookie(SESSION_COOKIE, token)
    return browser.get("/api/session").status_code == 200


def test_start_is_the_log_in_page_or_leads_to_the_library(site: Site, alice: Client) -> None:
    answer = site.browser().get("/")
    assert answer.status_code == 200
    assert 'action="/login"' in answer.text
    answer = alice.get("/")
    assert (answer.status_code, answer.location) == (303, "/stream")


def test_start_leads_to_registration_while_there_is_no_account(site: Site) -> None:
    answer = site.browser().get("/")
    assert (answer.status_code, answer.location) == (303, "/register")


@pytest.mark.parametrize(
    ("path", "form", "field"),
    [
        ("/login", None, "username"),
        ("/login", {"username": "alice", "password": "wrong password"}, "password"),
        ("/register", None, "username"),
    ],
)
def test_the_field_to_fill_in_has_the_focus(
    site: Site, alice: Client, path: str, form: dict[str, str] | None, field: str
) -> None:
    browser = site.browser()
    page = browser.post(path, data=form).text if form else browser.get(path).text
    [focused] = [tag for tag in re.findall("<input[^>]*>", page) if "autofocus" in tag]
    assert f'name="{field}"' in focused


def test_an_account_has_at_most_a_hundred_sessions_and_the_oldest_ends(
    site: Site, alice: Client, bob: Client, stores: Stores
) -> None:
    user = account(stores.database, "bob")
    viewer = viewer_for(user)
    begin = partial(stores.sessions.begin, viewer, device="A script", address="127.0.0.1")
    tokens = [begin() for _ in range(99)]
    assert stores.sessions.find(cookie_of(bob))
    tokens.append(begin())
    assert len(stores.sessions.summaries(user.id, current=None)) == 100
    assert not stores.sessions.find(cookie_of(bob))
    assert all(map(stores.sessions.find, tokens))
    assert is_signed_in(site, cookie_of(alice))


def test_the_right_password_signs_in(site: Site, alice: Client) -> None:
    browser = site.browser()
    answer = log_in(browser, " ALICE ")
    assert (answer.status_code, answer.location) == (303, "/stream")
    assert browser.get("/login?next=/account").location == "/account"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(site: Site, alice: Client) -> None:
    header = log_in(site.browser(), "alice").headers["Set-Cookie"]
    parts = set(header.split("; ")[1:])
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=34560000"} <= parts
    assert "Secure" not in parts


@pytest.mark.parametrize("known_by", ["setting", "connection"])
def test_over_https_the_cookie_is_for_this_host_and_https_alone(
    site: Site, alice: Client, known_by: str
) -> None:
    if known_by == "setting":
        for app in site.apps.values():
            app.config["SESSION_COOKIE_SECURE"] = True
    where = {"base_url": "https://localhost"}
    browser = site.browser()
    form = {"username": "alice", "password": PASSWORD}
    header = browser.post("/login", data=form, **where).headers["Set-Cookie"]
    assert header.startswith("__Host-matinee_session=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(header.split("; ")[1:])
    assert "Domain" not in header
    assert browser.get("/stream", **where).status_code == 200

    plain = {"Cookie": header.split(";")[0].replace("__Host-", "")}
    assert site.browser().get("/api/session", headers=plain, **where).status_code == 401
    gone = browser.post("/logout", **where).headers["Set-Cookie"]
    assert gone.startswith("__Host-matinee_session=;")
    assert "Secure" in gone


def test_an_unknown_user_and_a_wrong_password_get_the_same_answer_at_the_same_cost(
    site: Site, alice: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher = site.apps["auth"].extensions["matinee"].passwords._hasher
    verified = []

    class Watch:
        def verify(self, stored: str, secret: bytes) -> bool:
            verified.append(extract_parameters(stored))
            return bool(hasher.verify(stored, secret))

    monkeypatch.setattr(site.apps["auth"].extensions["matinee"].passwords, "_hasher", Watch())
    answers = [
        log_in(site.browser(), name, "wrong password")
        for name in ("alice", "nobody", "%", "' OR 1=1 --", "\x00", "<b>", "")
    ]
    assert {answer.status_code for answer in answers} == {401}
    pages = {
        answer.text.replace(f'value="{name}"', "")
        for answer, name in zip(answers[:2], ("alice", "nobody"), strict=True)
    }
    assert len(pages) == 1
    assert verified == [CHEAPEST] * len(answers)
    assert len(accounts(database)) == 1


def test_the_json_answers_do_not_tell_unknown_from_wrong_either(site: Site, alice: Client) -> None:
    answers = [
        site.browser().post("/api/session", json={"username": name, "password": "wrong password"})
        for name in ("alice", "nobody", "\ud800")
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert not any("Set-Cookie" in answer.headers for answer in answers)


@pytest.mark.parametrize("password", ["", "short", PASSWORD.upper(), f" {PASSWORD}", "x" * 1000])
def test_another_password_is_401(site: Site, alice: Client, password: str) -> None:
    assert log_in(site.browser(), "alice", password).status_code == 401


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("three unrelated words " * 4 + "a", "three unrelated words " * 4 + "b"),
        ("a horse, and\x00a", "a horse, and\x00b"),
        ("emoji 🎬🎬🎬", "emoji 🎥🎥🎥"),
        (" horses and hills", "horses and hills"),
    ],
)
def test_every_byte_of_a_password_counts(site: Site, one: str, other: str) -> None:
    site.sign_up("alice", one)
    assert log_in(site.browser(), "alice", other).status_code == 401
    assert log_in(site.browser(), "alice", one).status_code == 303


def test_a_password_over_the_limit_is_422_without_a_hash(
    site: Site, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.apps["auth"].extensions["matinee"].passwords, "_hasher", None)
    for name in ("alice", "nobody"):
        assert log_in(site.browser(), name, "x" * 1001).status_code == 422


def test_what_was_typed_comes_back_escaped_and_the_password_does_not(site: Site) -> None:
    answer = log_in(site.browser(), '"><script>x</script>', "my secret password")
    assert "<script>x" not in answer.text
    assert "&gt;&lt;script&gt;x" in answer.text
    assert "my secret password" not in answer.text


@pytest.mark.parametrize(
    ("given", "leads_to"),
    [
        ("/upload", "/upload"),
        ("/stream?q=sea&sort=title", "/stream?q=sea&sort=title"),
        ("//evil.example", "/stream"),
        ("/\\evil.example", "/stream"),
        ("javascript:alert(1)", "/stream"),
        ("https://evil.example/", "/stream"),
        ("/\t/evil.example", "/stream"),
        ("", "/stream"),
    ],
)
def test_next_leads_to_paths_of_this_site_only(
    site: Site, alice: Client, given: str, leads_to: str
) -> None:
    form = {"username": "alice", "password": PASSWORD, "next": given}
    assert site.browser().post("/login", data=form).location == leads_to
    page = site.browser().get("/login", query_string={"next": given}).text
    assert ('name="next"' in page) == (given == leads_to)
    assert "evil" not in page


@pytest.mark.on_mysql
@pytest.mark.parametrize(
    "body",
    [
        {"data": {"username": "alice"}},
        {"data": {"password": PASSWORD}},
        {"data": {"username": ["alice", "bob"], "password": PASSWORD}},
        {"data": {"username": "alice", "password": [PASSWORD, PASSWORD]}},
        {"json": {"username": "alice", "password": PASSWORD}},
        {"data": b""},
    ],
)
@pytest.mark.parametrize("path", ["/login", "/register"])
def test_a_field_missing_or_twice_or_json_for_a_form_is_422(
    site: Site, alice: Client, path: str, body: dict[str, Any]
) -> None:
    answer = site.browser().post(path, **body)
    assert answer.status_code == 422
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "sent",
    [
        {"headers": {"Sec-Fetch-Site": "cross-site"}},
        {"headers": {"Sec-Fetch-Site": "same-site"}},
        {"headers": {"Origin": "https://evil.example"}},
        {"headers": {"Origin": "null"}},
        {"headers": {"User-Agent": "Mozilla/5.0 Firefox/145.0"}},
        {"content_type": "text/plain"},
    ],
)
def test_a_cross_site_post_is_403_and_changes_nothing(
    site: Site, alice: Client, database: Database, sent: dict[str, Any]
) -> None:
    body = f"username=bob&password={PASSWORD}"
    options = {"content_type": "application/x-www-form-urlencoded"} | sent
    for path in ("/login", "/register"):
        answer = site.browser().post(path, data=body, **options)
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers
    assert len(accounts(database)) == 1
    assert alice.post("/account/delete", data=f"password={PASSWORD}", **options).status_code == 403
    assert len(accounts(database)) == 1
    if "headers" in sent:
        assert alice.post("/logout", **sent).status_code == 403
        assert alice.get("/api/session").status_code == 200


def test_a_cookie_planted_before_log_in_is_replaced_and_dead(
    site: Site, alice: Client, bob: Client
) -> None:
    planted = cookie_of(bob)  # the attacker's own session, in the victim's browser
    victim = site.browser()
    victim.set_cookie(SESSION_COOKIE, planted)
    assert log_in(victim, "alice").status_code == 303
    assert cookie_of(victim) != planted
    assert not is_signed_in(site, planted)
    assert is_signed_in(site, cookie_of(victim))


def test_a_token_that_the_client_made_up_is_never_taken(site: Site, alice: Client) -> None:
    victim = site.browser()
    victim.set_cookie(SESSION_COOKIE, "made-up-token")
    log_in(victim, "alice")
    assert cookie_of(victim) != "made-up-token"
    assert not is_signed_in(site, "made-up-token")


def test_a_failed_log_in_keeps_the_session_that_was_there(alice: Client) -> None:
    assert log_in(alice, "alice", "wrong password").status_code == 401
    assert alice.get("/api/session").status_code == 200


def test_log_out_ends_the_session_on_every_service(
    site: Site, alice: Client, database: Database
) -> None:
    video = put_video(database, "alice")
    old = cookie_of(alice)
    answer = alice.post("/logout")
    assert (answer.status_code, answer.location) == (303, "/login?done=signed-out")
    assert alice.get_cookie(SESSION_COOKIE) is None
    assert "You are signed out." in alice.get(answer.location).text
    stale = site.browser()
    stale.set_cookie(SESSION_COOKIE, old)
    as_json = {"headers": {"Accept": "application/json"}}
    assert stale.get("/api/session").status_code == 401
    assert stale.get("/api/videos").status_code == 401
    assert stale.get(f"/stream/{video}/video.mp4").status_code == 401
    assert stale.post("/upload", data={"title": "x"}, **as_json).status_code == 401
    assert stale.get("/account").location == "/login?next=/account"


def test_log_out_is_for_post_only_and_may_be_repeated(site: Site, alice: Client) -> None:
    assert alice.get("/logout").status_code == 405
    assert alice.get("/account/delete").status_code == 405
    assert alice.get("/api/session").status_code == 200
    assert site.browser().post("/logout").status_code == 303


@pytest.mark.parametrize(
    "cookie", ["", "x", "A" * 42, "A" * 10_000, "a\x00b", "\xff\xfe", '"', "%00", "a b", "🎬"]
)
def test_a_broken_cookie_is_signed_out(site: Site, alice: Client, cookie: str) -> None:
    raw = f"{SESSION_COOKIE}={cookie}".encode().decode("latin-1")
    for path, status in (("/", 200), ("/login", 200), ("/account", 303), ("/api/session", 401)):
        assert site.browser().get(path, headers={"Cookie": raw}).status_code == status
    answer = log_in(site.browser(), "alice", headers={"Cookie": raw})
    assert answer.status_code == 303
    assert site.browser().post("/logout", headers={"Cookie": raw}).status_code == 303


def test_a_token_cut_short_is_signed_out(site: Site, alice: Client) -> None:
    assert not is_signed_in(site, cookie_of(alice)[:-1])


def test_a_disabled_account_is_told_so_only_with_the_right_password(
    site: Site, alice: Client, bob: Client, database: Database
) -> None:
    alice.post(f"/admin/users/{user_id(database, 'bob')}", data={"state": "disabled"})
    wrong = log_in(site.browser(), "bob", "wrong password")
    assert wrong.status_code == 401
    assert "disabled" not in wrong.text
    right = log_in(site.browser(), "bob")
    assert right.status_code == 403
    assert "This account is disabled" in right.text
    assert "Set-Cookie" not in right.headers


def _new_password(stores: Stores, user: User) -> None:
    new = Passwords(CHEAPEST).hash("a new password")
    stores.database.write(
        lambda session: replace_hash(session, user_id=user.id, old=user.password_hash, new=new)
    )


def _ban(stores: Stores, user: User) -> None:
    user_admin.change_user(stores, Actor(None), user_id=user.id, fields={"disabled": True})


def _demotion(stores: Stores, user: User) -> None:
    fields: user_admin.UserFields = {"role": Role.VIEWER}
    user_admin.change_user(stores, Actor(None), user_id=user.id, fields=fields)


def _new_name(stores: Stores, user: User) -> None:
    fields: user_admin.UserFields = {"name": parse_name("Robert")}
    user_admin.change_user(stores, Actor(None), user_id=user.id, fields=fields)


@pytest.mark.on_mysql
@pytest.mark.parametrize(
    ("change", "status"), [(_new_password, 401), (_ban, 403), (_demotion, 303), (_new_name, 401)]
)
def test_what_changed_while_signing_in_counts(
    site: Site,
    alice: Client,
    bob: Client,
    stores: Stores,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Stores, User], None],
    status: int,
) -> None:
    """The change is committed just after the password was found right."""
    original = login.begin_session
    begun: list[User] = []

    def begin_late(stores: Stores, *, user: User, client: login.ClientInfo) -> str | None:
        if not begun:
            change(stores, user)
        begun.append(user)
        return original(stores, user=user, client=client)

    monkeypatch.setattr(login, "begin_session", begin_late)
    browser = site.browser()
    answer = log_in(browser, "bob")
    assert answer.status_code == status
    if status == 303:
        assert browser.get("/api/session").json["role"] == "viewer"  # type: ignore[index]
    else:
        assert SESSION_COOKIE not in answer.headers.get("Set-Cookie", "")
        left = stores.sessions.summaries(begun[0].id, current=cookie_of(bob))
        assert [session.current for session in left] in ([], [True])


@pytest.mark.on_mysql
def test_an_account_that_keeps_changing_is_not_signed_in_to(
    site: Site, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "begin_session", lambda *_args, **_options: None)
    assert log_in(site.browser(), "alice").status_code == 409


def test_a_hash_of_an_older_cost_is_renewed_at_log_in(
    site: Site, alice: Client, database: Database
) -> None:
    dearer = replace(CHEAPEST, time_cost=2)
    site.apps["auth"].extensions["matinee"].passwords = Passwords(dearer)
    browser = site.browser()
    assert log_in(browser, "alice").status_code == 303
    assert extract_parameters(account(database, "alice").password_hash) == dearer
    assert alice.get("/api/session").status_code == 200
    assert browser.get("/api/session").status_code == 200
    assert log_in(site.browser(), "alice").status_code == 303


@pytest.mark.on_mysql
def test_a_hash_that_another_log_in_renewed_first_is_no_reason_to_refuse(
    site: Site, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    dearer = Passwords(replace(CHEAPEST, time_cost=2))
    site.apps["auth"].extensions["matinee"].passwords = dearer
    original = replace_hash

    def overtaken(session: Session, *, user_id: int, old: str, new: str) -> bool:
        original(session, user_id=user_id, old=old, new=dearer.hash(PASSWORD))
        return False

    monkeypatch.setattr(login, "replace_hash", overtaken)
    assert log_in(site.browser(), "alice").status_code == 303


def test_pages_of_the_auth_service_are_not_kept_by_anybody(alice: Client) -> None:
    for path in ("/login", "/register", "/account", "/admin"):
        assert alice.get(path).headers["Cache-Control"] == "no-store"
