"""Opening a share link: who gets in, what they see, and when it ends."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from limits import RateLimitItemPerHour
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from common.stores.visits import MAX_VISITS
from common.web.auth import SECURE_VISIT_COOKIE, VISIT_COOKIE
from db.models import JobKind, Link, LinkVisit, Video, now
from streaming_service.sharing import open_link
from tests.conftest import Client, Site
from tests.streaming_service.conftest import House, Put
from tests.streaming_service.test_links import PASSWORD, make, path_of

_PLACES = {"rejection_reason": "It is no film.", "deleted_at": now(), "owner_id": None}


def status(browser: Client, path: str) -> int:
    return browser.get(path).status_code


def views(house: House, link: dict[str, Any]) -> int:
    count = house.database.read(lambda session: session.get_one(Link, link["id"]).view_count)
    return int(count)


def visits(house: House) -> int:
    count = select(func.count()).select_from(LinkVisit)
    return int(house.database.read(lambda session: session.scalars(count).one()))


# --- the page before it is opened ---------------------------------------------------------------


def test_the_page_has_a_button_and_tells_nothing(nobody: Client, alice: Client, put: Put) -> None:
    video = put(title="A day at the sea")
    answer = nobody.get(path_of(make(alice, video)))
    assert answer.status_code == 200
    assert "Watch" in answer.text
    assert 'type="password"' not in answer.text
    for secret in ("A day at the sea", video, "alice"):
        assert secret not in answer.text
    assert answer.headers["Referrer-Policy"] == "strict-origin"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers


def test_the_page_shows_the_title_if_the_link_says_so(
    nobody: Client, alice: Client, put: Put
) -> None:
    link = make(alice, put(title="A day at <the> sea"), show_title=True)
    page = nobody.get(path_of(link)).text
    assert '<meta property="og:title" content="A day at &lt;the&gt; sea">' in page
    assert "<h1" in page


def test_a_preview_counts_nothing(nobody: Client, alice: Client, put: Put, house: House) -> None:
    link = make(alice, put())
    for method in ("GET", "HEAD"):
        agent = {"User-Agent": "Slackbot-LinkExpanding 1.0"}
        assert nobody.open(path_of(link), method=method, headers=agent).status_code == 200
    assert (views(house, link), visits(house)) == (0, 0)


# --- opening it ---------------------------------------------------------------------------------


def test_whoever_opens_it_may_watch_without_an_account(
    nobody: Client, alice: Client, put: Put, house: House
) -> None:
    video = put()
    house.publish(video, 360)
    link = make(alice, video)
    assert status(nobody, f"/stream/{video}") == 303
    assert status(nobody, f"/stream/{video}/poster.jpg") == 401
    answer = nobody.post(path_of(link))
    assert (answer.status_code, answer.location) == (303, f"/stream/{video}")
    assert status(nobody, f"/stream/{video}") == 200
    assert status(nobody, f"/api/videos/{video}/progress") == 200
    assert status(nobody, f"/api/videos/{video}/captions") == 200
    position = f"/api/videos/{video}/position"
    assert nobody.put(position, json={"position_ms": 1000}).status_code == 401
    assert views(house, link) == 1
    [listed] = alice.get("/api/links").json["links"]
    assert listed["view_count"] == 1
    assert listed["last_used_at"] is not None


def test_the_cookie_is_of_its_own_and_ends_with_the_link(
    nobody: Client, alice: Client, put: Put
) -> None:
    link = make(alice, put(), expires_at=(now() + timedelta(hours=1)).isoformat())
    answer = nobody.post(path_of(link))
    cookie = nobody.get_cookie(VISIT_COOKIE)
    assert cookie is not None
    assert cookie.value not in link["url"]
    assert (cookie.http_only, cookie.path, cookie.same_site) == (True, "/", "Lax")
    assert cookie.max_age is not None
    assert 3590 < cookie.max_age <= 3600
    assert "Secure" not in answer.headers["Set-Cookie"]


def test_the_cookie_of_an_endless_link_lasts_400_days(
    nobody: Client, alice: Client, put: Put
) -> None:
    nobody.post(path_of(make(alice, put(), expires_at=None)))
    nobody.post(path_of(make(alice, put())))
    cookie = nobody.get_cookie(VISIT_COOKIE)
    assert cookie is not None
    assert cookie.max_age == 400 * 86400


def test_over_https_the_cookie_is_for_https_alone(alice: Client, put: Put, site: Site) -> None:
    link = make(alice, put())
    browser = site.apps["streaming"].test_client()
    answer = browser.post(path_of(link), base_url="https://localhost")
    assert answer.headers["Set-Cookie"].startswith(f"{SECURE_VISIT_COOKIE}=")
    assert "; Secure;" in answer.headers["Set-Cookie"]


def test_a_browser_that_has_opened_it_goes_on_and_is_not_counted_again(
    nobody: Client, alice: Client, put: Put, house: House
) -> None:
    video = put()
    link = make(alice, video, max_views=1, password=PASSWORD)
    nobody.post(path_of(link), data={"password": PASSWORD})
    for method in ("GET", "POST"):
        answer = nobody.open(path_of(link), method=method)
        assert (answer.status_code, answer.location) == (303, f"/stream/{video}")
    assert (views(house, link), visits(house)) == (1, 1)
    assert status(nobody, f"/stream/{video}") == 200


def test_a_browser_remembers_the_twenty_links_opened_last(
    nobody: Client, alice: Client, put: Put
) -> None:
    videos = [put() for _ in range(MAX_VISITS + 1)]
    for video in videos:
        nobody.post(path_of(make(alice, video)))
    statuses = [status(nobody, f"/stream/{video}") for video in videos]
    assert statuses == [303] + [200] * MAX_VISITS


def test_a_link_to_a_collection_leads_there_and_opens_its_videos(
    nobody: Client, alice: Client, put: Put, house: House
) -> None:
    video = put()
    collection = house.collection("alice", video)
    link = alice.post(f"/api/collections/{collection}/links", json={}).json
    answer = nobody.post(path_of(link))
    assert (answer.status_code, answer.location) == (303, f"/collections/{collection}")
    page = nobody.get(answer.location).text
    assert f'href="/stream/{video}?in={collection}"' in page
    for other in ("<nav", 'role="search"', "Only you"):
        assert other not in page, other
    assert status(nobody, f"/stream/{video}") == 200


def test_somebody_with_an_account_keeps_it_and_is_remembered(
    bob: Client, alice: Client, put: Put
) -> None:
    video = put()
    bob.post(path_of(make(alice, video)))
    page = bob.get(f"/stream/{video}").text
    assert 'aria-label="Main"' in page
    answer = bob.put(f"/api/videos/{video}/position", json={"position_ms": 30_000})
    assert answer.status_code == 204
    assert 'data-position="30.0"' in bob.get(f"/stream/{video}").text


# --- what does not work -------------------------------------------------------------------------


def end_link(house: House, link: dict[str, Any], how: str) -> None:
    """Make a link stop to work, in one of the ways."""
    if how == "expired":
        house.change(Link, link["id"], expires_at=now())
    elif how == "used up":
        house.change(Link, link["id"], max_views=1, view_count=1)
    elif how == "revoked":
        house.database.write(lambda session: session.delete(session.get_one(Link, link["id"])))
    elif how == "binned":
        house.change(Video, link["video"], binned_at=now())
    else:
        house.change(Video, link["video"], **{how: _PLACES[how]})


WAYS = ["expired", "used up", "revoked", "binned", *_PLACES]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("how", WAYS)
def test_whatever_does_not_work_looks_like_what_never_was(
    alice: Client, nobody: Client, put: Put, house: House, how: str, method: str
) -> None:
    link = make(alice, put(), password=PASSWORD, show_title=True)
    end_link(house, link, how)
    answer = nobody.open(path_of(link), method=method, data={"password": PASSWORD})
    unknown = nobody.open("/s/" + "x" * 43, method=method, data={"password": PASSWORD})
    assert answer.status_code == unknown.status_code == 404
    assert answer.text == unknown.text
    left_out = ("X-Request-Id",)
    assert [h for h in answer.headers if h[0] not in left_out] == [
        h for h in unknown.headers if h[0] not in left_out
    ]
    assert visits(house) == 0


@pytest.mark.parametrize("how", [how for how in WAYS if how != "used up"])
def test_a_link_that_ends_shuts_out_those_who_have_opened_it(
    alice: Client, nobody: Client, put: Put, house: House, how: str
) -> None:
    link = make(alice, put())
    nobody.post(path_of(link))
    end_link(house, link, how)
    assert status(nobody, f"/stream/{link['video']}") == 303
    assert status(nobody, f"/api/videos/{link['video']}") == 401
    assert status(nobody, path_of(link)) == 404


def test_media_end_with_the_next_request_after_a_change(
    alice: Client, nobody: Client, put: Put, house: House, site: Site
) -> None:
    video = put()
    segment = f"/stream/{video}/hls/360p.mp4"
    folder = site.videos_dir / video / "hls"
    folder.mkdir()
    (folder / "360p.mp4").write_bytes(b"moof")
    link = make(alice, video, level="download")
    nobody.post(path_of(link))
    original = f"/stream/{video}/video.mp4"
    assert (status(nobody, segment), status(nobody, original)) == (200, 200)
    alice.patch(f"/api/links/{link['id']}", json={"level": "watch"})
    assert (status(nobody, segment), status(nobody, original)) == (200, 401)
    alice.delete(f"/api/links/{link['id']}")
    assert status(nobody, segment) == 401


@pytest.mark.parametrize("token", ["x", "x" * 101, "x" * 4000, "%00", "é"])
def test_a_token_that_cannot_be_ours_is_not_found(nobody: Client, token: str) -> None:
    assert status(nobody, f"/s/{token}") == 404


@pytest.mark.on_mysql
def test_fifty_at_once_open_a_link_for_three(
    alice: Client, put: Put, house: House, site: Site
) -> None:
    link = make(alice, put(), max_views=3)
    together = Barrier(50)

    def open_it(_: int) -> int:
        browser = house.browser()
        together.wait(timeout=30)
        # With MySQL a process has 20 connections; whoever gets none in a second tries again.
        while (answer := browser.post(path_of(link))).status_code == 503:
            assert answer.headers["Retry-After"]
        return answer.status_code

    with ThreadPoolExecutor(50) as pool:
        statuses = sorted(pool.map(open_it, range(50)))
    assert statuses == [303] * 3 + [404] * 47
    assert (views(house, link), visits(house)) == (3, 3)


def test_a_network_opens_links_only_so_often(
    alice: Client, put: Put, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_link, "_VISITS", RateLimitItemPerHour(2, 1), raising=False)
    link, again = make(alice, put()), house.browser()
    statuses = [house.browser().post(path_of(link)).status_code for _ in range(3)]
    assert statuses == [303, 303, 429]
    assert again.post(path_of(link), environ_base={"REMOTE_ADDR": "10.0.0.2"}).status_code == 303
    assert (views(house, link), visits(house)) == (3, 3)
    # Who has opened it before goes on.
    assert again.post(path_of(link)).status_code == 303


# --- passwords ----------------------------------------------------------------------------------


def guess(
    browser: Client, link: dict[str, Any], password: str, address: str = "10.0.0.1"
) -> TestResponse:
    where = {"REMOTE_ADDR": address}
    return browser.post(path_of(link), data={"password": password}, environ_base=where)


def test_a_password_is_asked_for(alice: Client, nobody: Client, put: Put, house: House) -> None:
    link = make(alice, put(), password=PASSWORD)
    assert 'type="password"' in nobody.get(path_of(link)).text
    for wrong in ("", "wrong password"):
        answer = guess(nobody, link, wrong)
        assert answer.status_code == 401
        assert "not the password" in answer.text
        assert "Set-Cookie" not in answer.headers
    assert nobody.post(path_of(link)).status_code == 401
    assert views(house, link) == 0
    assert guess(nobody, link, PASSWORD).status_code == 303


def test_scripts_get_a_wrong_password_as_json(alice: Client, nobody: Client, put: Put) -> None:
    link = make(alice, put(), password=PASSWORD)
    answer = nobody.post(
        path_of(link), data={"password": "wrong"}, headers={"Accept": "application/json"}
    )
    assert (answer.status_code, answer.json) == (
        401,
        {"error": "That is not the password of this link."},
    )


def test_a_password_that_is_too_long_is_not_compared(
    alice: Client, nobody: Client, put: Put
) -> None:
    assert guess(nobody, make(alice, put(), password=PASSWORD), "x" * 1001).status_code == 422


def test_guesses_are_limited_per_link_and_network_as_logins_are(
    alice: Client, nobody: Client, put: Put
) -> None:
    link, other = (make(alice, put(), password=PASSWORD) for _ in range(2))
    statuses = [guess(nobody, link, "wrong password").status_code for _ in range(15)]
    assert statuses == [401] * 10 + [429] * 5
    answer = guess(nobody, link, PASSWORD)
    assert answer.status_code == 429
    assert 800 < int(answer.headers["Retry-After"]) <= 900
    assert guess(nobody, other, PASSWORD).status_code == 303
    assert guess(nobody, link, PASSWORD, "10.0.0.2").status_code == 303


def test_a_right_guess_in_a_burst_is_not_told_from_the_wrong_ones(
    alice: Client,
    nobody: Client,
    put: Put,
    house: House,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link = make(alice, put(), password=PASSWORD)
    passwords = house.services.passwords
    matches = passwords.matches

    def slowly(password: str, stored: str | None) -> bool:
        monkeypatch.setattr(passwords, "matches", matches)
        for _ in range(10):
            guess(nobody, link, "wrong password")
        return bool(matches(password, stored))

    monkeypatch.setattr(passwords, "matches", slowly)
    assert guess(nobody, link, PASSWORD).status_code == 429
    assert views(house, link) == 0


def test_a_password_that_changes_while_it_is_checked_opens_nothing(
    alice: Client,
    nobody: Client,
    put: Put,
    house: House,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link = make(alice, put(), password=PASSWORD)
    passwords = house.services.passwords
    matches = passwords.matches

    def slowly(password: str, stored: str | None) -> bool:
        monkeypatch.setattr(passwords, "matches", matches)
        house.change(Link, link["id"], password_hash=passwords.hash("another password"))
        return bool(matches(password, stored))

    monkeypatch.setattr(passwords, "matches", slowly)
    assert guess(nobody, link, PASSWORD).status_code == 404
    assert guess(nobody, link, "another password").status_code == 303


# --- what a guest sees --------------------------------------------------------------------------


def test_a_guest_sees_the_player_and_nothing_else_of_the_site(
    alice: Client, nobody: Client, put: Put, house: House
) -> None:
    video = put()
    house.publish(video, 360)
    nobody.post(path_of(make(alice, video)))
    page = nobody.get(f"/stream/{video}").text
    assert 'id="player"' in page
    for other in ("<nav", 'role="search"', "Who can watch this?", 'href="/"', "/edit", "sha"):
        assert other not in page, other
    assert f'href="/login?next=/stream/{video}"' in page


def test_a_guest_of_a_public_video_sees_the_usual_page(
    alice: Client, nobody: Client, put: Put
) -> None:
    assert "Who can watch this?" in nobody.get(f"/stream/{put(visibility='public')}").text


def test_at_watch_there_is_hls_alone(alice: Client, nobody: Client, put: Put, house: House) -> None:
    video = put()
    house.add_job(video, JobKind.RENDITION, height=360)
    nobody.post(path_of(make(alice, video)))
    page = nobody.get(f"/stream/{video}").text
    assert "This video is being prepared." in page
    assert "video.mp4" not in page
    progress = nobody.get(f"/api/videos/{video}/progress").json
    assert progress["watchable"] is False  # otherwise the page would load again and again
    assert alice.get(f"/api/videos/{video}/progress").json["watchable"] is True
    house.publish(video, 360)
    page = nobody.get(f"/stream/{video}").text
    assert f'src="/stream/{video}/master.m3u8"' in page
    assert "video.mp4" not in page
    assert "/download" not in page
    assert nobody.get(f"/api/videos/{video}/progress").json["watchable"] is True
    for name in ("video.mp4", "download"):
        assert status(nobody, f"/stream/{video}/{name}") == 401


def test_at_download_there_is_the_original(alice: Client, nobody: Client, put: Put) -> None:
    video = put()
    nobody.post(path_of(make(alice, video, level="download")))
    assert "video.mp4" in nobody.get(f"/stream/{video}").text
    for name in ("video.mp4", "download"):
        assert status(nobody, f"/stream/{video}/{name}") == 200


def test_a_grant_at_watch_gives_hls_alone_too(
    alice: Client, bob: Client, put: Put, house: House
) -> None:
    video = put()
    house.add_job(video, JobKind.RENDITION, height=360)
    house.grant("bob", video_id=video)
    assert "This video is being prepared." in bob.get(f"/stream/{video}").text
    assert bob.get(f"/api/videos/{video}").json["processing"]["watchable"] is False


# --- what is written down -----------------------------------------------------------------------


def test_the_token_is_in_no_log_line(
    alice: Client, nobody: Client, put: Put, capfd: pytest.CaptureFixture[str]
) -> None:
    link = make(alice, put())
    capfd.readouterr()
    nobody.get(path_of(link))
    nobody.post(path_of(link))
    nobody.get(path_of(link) + "/more")
    logged = capfd.readouterr().out
    assert '"path": "/s/..."' in logged
    assert link["url"].rpartition("/")[2] not in logged


def test_without_redis_nobody_gets_in(
    alice: Client, nobody: Client, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = put()
    link = make(alice, video)
    nobody.post(path_of(link))

    def fail(*_: object) -> None:
        raise RedisConnectionError("away")

    monkeypatch.setattr(Redis, "mget", fail)
    for path in (path_of(link), f"/stream/{video}"):
        assert status(nobody, path) == 503
