"""One's own account: sessions, password, and leaving."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import pytest
from redis import Redis
from sqlalchemy import delete, event
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from auth_service import accounts
from auth_service.account_deletion import LastAdministrator, delete_account
from auth_service.accounts import find_account
from common.audit import Actor
from common.stores import Stores
from common.web.auth import SESSION_COOKIE
from db.engine import Database
from db.models import Role, User, Video
from tests.auth_service.conftest import (
    PASSWORD,
    account,
    at_once,
    is_signed_in,
    log_in,
    put_video,
    user_id,
)
from tests.auth_service.conftest import (
    accounts as rows,
)
from tests.conftest import Client, Site

NEW = "another fine password"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


def sign_in(site: Site, name: str, password: str = PASSWORD, address: str = "127.0.0.1") -> Client:
    browser = site.browser(address)
    headers = {"User-Agent": FIREFOX, "Sec-Fetch-Site": "same-origin"}
    assert log_in(browser, name, password, headers=headers).status_code == 303
    return browser


def test_the_account_is_for_who_is_signed_in(site: Site) -> None:
    assert site.browser().get("/account").location == "/login?next=/account"
    for path in ("password", "delete", "sessions/end-others", f"sessions/{'0' * 64}/end"):
        assert site.browser().post(f"/account/{path}").status_code == 401


def test_the_page_lists_ones_own_sessions_with_device_and_address(
    site: Site, alice: Client, bob: Client
) -> None:
    sign_in(site, "alice", address="192.0.2.7")
    page = alice.get("/account").text
    assert "Firefox on Linux" in page
    assert "192.0.2.7" in page
    assert page.count("/end-others") == 1
    assert page.count('/end"') == 1  # the session that asks has no button
    assert "192.0.2.7" not in bob.get("/account").text


def test_one_session_can_be_ended(site: Site, alice: Client, stores: Stores) -> None:
    other = sign_in(site, "alice")
    cookie = alice.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    alices = user_id(stores.database, "alice")
    sessions = stores.sessions.summaries(alices, current=cookie.value)
    (theirs,) = [session.id for session in sessions if not session.current]
    assert alice.post(f"/account/sessions/{theirs}/end").location == "/account?done=session"
    assert "That session has ended" in alice.get("/account?done=session").text
    assert not is_signed_in(other)
    assert is_signed_in(alice)
    assert alice.post(f"/account/sessions/{theirs}/end").status_code == 404


def test_nobody_ends_a_session_of_somebody_elses(
    alice: Client, bob: Client, stores: Stores
) -> None:
    bobs = user_id(stores.database, "bob")
    (session,) = stores.sessions.summaries(bobs, current=None)
    assert alice.post(f"/account/sessions/{session.id}/end").status_code == 404
    assert is_signed_in(bob)


def test_all_other_sessions_can_be_ended(site: Site, alice: Client, bob: Client) -> None:
    others = [sign_in(site, "alice") for _ in range(2)]
    assert alice.post("/account/sessions/end-others").status_code == 303
    assert [is_signed_in(browser) for browser in (alice, bob, *others)] == [
        True,
        True,
        False,
        False,
    ]


def test_a_changed_password_ends_every_other_session(site: Site, alice: Client) -> None:
    other = sign_in(site, "alice")
    form = {"current": PASSWORD, "password": NEW}
    assert alice.post("/account/password", data=form).location == "/account?done=password"
    assert is_signed_in(alice)
    assert not is_signed_in(other)
    assert log_in(site.browser(), "alice").status_code == 401
    assert log_in(site.browser(), "alice", NEW).status_code == 303


def test_a_password_is_changed_only_by_who_knows_the_present_one(
    site: Site, alice: Client, bob: Client
) -> None:
    other = sign_in(site, "alice")
    for current in ("wrong password", ""):
        answer = alice.post("/account/password", data={"current": current, "password": NEW})
        assert answer.status_code == 403
        assert "That is not your password" in answer.text
    assert is_signed_in(other)
    assert log_in(site.browser(), "alice").status_code == 303


@pytest.mark.parametrize("password", ["short", "x" * 1001])
def test_a_new_password_of_an_unfit_length_is_422(site: Site, alice: Client, password: str) -> None:
    answer = alice.post("/account/password", data={"current": PASSWORD, "password": password})
    assert answer.status_code == 422
    assert log_in(site.browser(), "alice").status_code == 303


@pytest.mark.on_mysql
def test_of_two_password_changes_at_once_the_second_is_told(alice: Client, stores: Stores) -> None:
    seen = account(stores.database, "alice")
    accounts.change_password(stores, Actor(None), user=seen, new_hash="one", token=None)
    with pytest.raises(accounts.AccountChanged):
        accounts.change_password(stores, Actor(None), user=seen, new_hash="two", token=None)


@pytest.mark.on_mysql
def test_a_session_that_begins_just_before_the_change_is_committed_ends_too(
    alice: Client, stores: Stores
) -> None:
    user = account(stores.database, "alice")
    begun: list[str] = []

    def begin(_session: Session) -> None:
        viewer = accounts.viewer_for(user)
        begun.append(stores.sessions.begin(viewer, device="Late", address="127.0.0.1"))

    event.listen(Session, "before_commit", begin)
    try:
        accounts.change_password(stores, Actor(None), user=user, new_hash="new", token=None)
    finally:
        event.remove(Session, "before_commit", begin)
    assert [stores.sessions.find(token) for token in begun] == [None]


@pytest.mark.on_mysql
def test_leaving_takes_the_videos_along_and_ends_every_session(
    site: Site, alice: Client, bob: Client, database: Database, redis: Redis
) -> None:
    video = put_video(database, "bob")
    redis.set(f"video:{video}", '{"owner": 2, "visibility": "members"}')
    other = sign_in(site, "bob")
    assert "your 1 video" in bob.get("/account").text
    answer = bob.post("/account/delete", data={"password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/login?done=deleted")
    assert find_account(database, key="bob") is None
    row = database.read(lambda session: session.get(Video, video))
    assert row is not None
    assert row.owner_id is None  # the janitor takes it from here
    assert not redis.exists(f"video:{video}")
    assert bob.get_cookie(SESSION_COOKIE) is None
    assert not is_signed_in(other)
    assert log_in(site.browser(), "bob").status_code == 401
    assert is_signed_in(alice)


def test_leaving_needs_the_password(site: Site, alice: Client, bob: Client) -> None:
    answer = bob.post("/account/delete", data={"password": "wrong password"})
    assert answer.status_code == 403
    assert '<details class="disclosure" open' in answer.text
    assert is_signed_in(bob)
    assert log_in(site.browser(), "bob").status_code == 303


@pytest.mark.on_mysql
def test_a_name_is_free_again_when_its_owner_has_left(
    site: Site, alice: Client, bob: Client
) -> None:
    bob.post("/account/delete", data={"password": PASSWORD})
    assert is_signed_in(site.sign_up("bob"))


def test_the_only_administrator_may_not_leave_others_behind(
    alice: Client, bob: Client, database: Database
) -> None:
    answer = alice.post("/account/delete", data={"password": PASSWORD})
    assert answer.status_code == 409
    assert "Make somebody else an administrator first" in answer.text
    assert is_signed_in(alice)
    alice.post(f"/admin/users/{user_id(database, 'bob')}", data={"role": "admin"})
    assert alice.post("/account/delete", data={"password": PASSWORD}).status_code == 303
    assert [user.name for user in rows(database)] == ["bob"]


@pytest.mark.on_mysql
def test_who_is_alone_may_leave_and_the_next_is_the_first_again(
    site: Site, alice: Client, database: Database
) -> None:
    assert alice.post("/account/delete", data={"password": PASSWORD}).status_code == 303
    site.sign_up("bob")
    assert [(user.name, user.role) for user in rows(database)] == [("bob", Role.ADMIN)]


@pytest.mark.on_mysql
def test_two_administrators_cannot_leave_at_the_same_time(
    alice: Client, bob: Client, charlie: Client, database: Database
) -> None:
    alice.post(f"/admin/users/{user_id(database, 'bob')}", data={"role": "admin"})
    both = [alice, bob]
    statuses = at_once(2, lambda i: both[i].post("/account/delete", data={"password": PASSWORD}))
    assert statuses == [303, 409]
    assert sorted(user.role for user in rows(database)) == [Role.ADMIN, Role.UPLOADER]


def leave_and_arrive_at_once(leaver: Client, newcomer: Client) -> list[int]:
    calls: list[Callable[[], TestResponse]] = [
        lambda: leaver.post("/account/delete", data={"password": PASSWORD}),
        lambda: newcomer.post("/register", data={"username": "bob", "password": PASSWORD}),
    ]
    return at_once(2, lambda i: calls[i]())


@pytest.mark.on_mysql
def test_nobody_arrives_as_a_mere_uploader_while_the_last_one_leaves(
    site: Site, database: Database
) -> None:
    for _ in range(5):
        statuses = leave_and_arrive_at_once(site.sign_up("alice"), site.browser())
        assert statuses in ([303, 303], [303, 409])
        assert [user.role for user in rows(database)].count(Role.ADMIN) == 1
        database.write(lambda session: session.execute(delete(User)))


@pytest.mark.on_mysql
def test_a_video_that_arrives_while_its_owner_leaves_is_held_back_too(
    alice: Client, bob: Client, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = account(stores.database, "bob")
    changing = stores.videos.changing
    held_back: list[list[str]] = []

    def changing_late(video_ids: Sequence[str]) -> AbstractContextManager[None]:
        if not held_back:
            put_video(stores.database, "bob")
        held_back.append(list(video_ids))
        return changing(video_ids)

    put_video(stores.database, "bob")
    monkeypatch.setattr(stores.videos, "changing", changing_late)
    delete_account(stores, Actor(None), user=user)
    assert [len(held) for held in held_back] == [1, 2]
    assert find_account(stores.database, key="bob") is None


@pytest.mark.on_mysql
def test_nobody_is_signed_out_when_videos_keep_arriving_and_the_account_stays(
    alice: Client, bob: Client, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    changing = stores.videos.changing

    def changing_late(video_ids: Sequence[str]) -> AbstractContextManager[None]:
        put_video(stores.database, "bob")
        return changing(video_ids)

    monkeypatch.setattr(stores.videos, "changing", changing_late)
    assert bob.post("/account/delete", data={"password": PASSWORD}).status_code == 409
    assert find_account(stores.database, key="bob") is not None
    assert is_signed_in(bob)


@pytest.mark.on_mysql
def test_an_account_deleted_twice_at_once_is_deleted_once(
    site: Site, alice: Client, bob: Client, stores: Stores
) -> None:
    user = account(stores.database, "bob")
    delete_account(stores, Actor(None), user=user)
    with pytest.raises(accounts.AccountChanged):
        delete_account(stores, Actor(None), user=user)
    admin = account(stores.database, "alice")
    site.sign_up("charlie")
    with pytest.raises(LastAdministrator):
        delete_account(stores, Actor(None), user=admin)
