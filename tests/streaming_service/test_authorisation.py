"""What the front server is told about a request for a media file, and what that costs."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy.orm import Session
from werkzeug.test import Client as Inside
from werkzeug.test import TestResponse

from common.ids import new_id
from common.settings import CommonSettings
from common.storage.s3 import S3Store
from common.storage.s3_settings import S3Settings
from common.stores import Stores
from common.stores.sessions import session_key, token_hash
from common.web.services import Services, services_of
from db.engine import Database, DatabaseUnavailable
from db.models import Grant, Level, Link, LinkVisit, ObjectState, StoredObject, now
from streaming_service.delivery.auth_request import AuthRequestMiddleware
from streaming_service.delivery.authorise import authorise
from streaming_service.delivery.cdn import CdnKind, CdnSettings, CdnUrls
from streaming_service.delivery.files import MediaFile
from streaming_service.delivery.presigned import PresignedUrls
from tests.conftest import Client

from .conftest import House, Put

PATH = "/internal/authorise"
ORIGINAL = MediaFile("original.mp4")


@pytest.fixture
def service(house: House) -> Any:
    """The streaming service."""
    return house.site.apps["streaming"]


@pytest.fixture
def gateway(service: Any) -> Inside:
    """Asks as a front server does: with no cookies."""
    return Inside(service, use_cookies=False)


def ask(
    gateway: Inside, video_id: str, token: str = "", *, bearer: str = "", name: str = "video.mp4"
) -> TestResponse:
    """Ask whether somebody may have a file."""
    headers = {"X-Video": video_id, "X-Media-Name": name}
    headers |= {"X-Session-Token": token} if token else {}
    headers |= {"X-Bearer": bearer} if bearer else {}
    return gateway.get(PATH, headers=headers)


def test_who_may_have_which(
    gateway: Inside, house: House, put: Put, bob: Client, charlie: Client
) -> None:
    tokens = [house.tokens[name] for name in ("alice", "bob", "charlie")]
    for visibility, statuses in {
        "private": [204, 403, 403, 401],
        "members": [204, 204, 204, 401],
        "public": [204, 204, 204, 204],
    }.items():
        video_id = put(visibility=visibility)
        for _ in range(2):  # from the database, then from the cache
            answers = [ask(gateway, video_id, token).status_code for token in (*tokens, "")]
            assert answers == statuses


def test_a_yes_says_where_the_file_is_and_nothing_else(
    gateway: Inside, house: House, put: Put
) -> None:
    video_id = put()

    answer = ask(gateway, video_id, house.tokens["alice"])

    assert answer.status == "204 No Content"
    assert answer.data == b""
    assert list(answer.headers) == [("X-Media-Path", f"{video_id}/original.mp4")]


def test_a_no_says_nothing(gateway: Inside, house: House, put: Put, bob: Client) -> None:
    for answer in (ask(gateway, put()), ask(gateway, put(), house.tokens["bob"])):
        assert answer.data == b""
        assert "X-Media-Path" not in answer.headers


def test_a_bearer_counts_before_a_session(
    gateway: Inside, house: House, put: Put, bob: Client
) -> None:
    video_id = put()
    alice, bob_token = house.tokens["alice"], house.tokens["bob"]

    def status(bearer: str, token: str = "") -> int:
        return ask(gateway, video_id, token, bearer=bearer).status_code

    assert status(f"Bearer {alice}") == 204
    assert status(f"bearer {alice}", bob_token) == 204
    assert status(f"Bearer {bob_token}", alice) == 403
    for wrong in ("Bearer invalid", "Bearer", f"Basic {alice}", alice, f"Bearer {alice}x"):
        assert status(wrong, alice) == 401


def test_what_is_not_there_is_not_yours(
    gateway: Inside, house: House, put: Put, alice: Client
) -> None:
    token = house.tokens["alice"]
    ownerless = house.put(None, "public")
    for video_id in ("A" * 22, put(deleted_at=now(), visibility="public"), ownerless):
        for _ in range(2):
            assert ask(gateway, video_id, token).status_code == 403
            assert ask(gateway, video_id).status_code == 401


@pytest.mark.parametrize("name", ["", "original.mp4", "../x", "video.mp4/", "poster.png", "é"])
def test_unknown_names_are_denied(gateway: Inside, put: Put, name: str) -> None:
    assert ask(gateway, put(visibility="public"), name=name).status_code == 403


@pytest.mark.parametrize("video_id", ["", "x", "..", "../../etc", "A" * 23, "-" * 22, "é" * 22])
def test_what_is_no_id_is_denied(gateway: Inside, video_id: str) -> None:
    assert ask(gateway, video_id).status_code == 403


@pytest.mark.parametrize("token", ["x" * 8000, "\xff", "a b", "*", "%00"])
def test_strange_tokens_sign_nobody_in(gateway: Inside, put: Put, token: str) -> None:
    assert ask(gateway, put(), token).status_code == 401


def test_a_missing_header_is_a_no(gateway: Inside) -> None:
    assert gateway.get(PATH).status_code == 403


def test_the_service_itself_sends_no_bytes(gateway: Inside, house: House, put: Put) -> None:
    headers = {"Authorization": f"Bearer {house.tokens['alice']}"}

    answer = gateway.get(f"/stream/{put()}/video.mp4", headers=headers)

    assert answer.status_code == 404
    assert answer.is_json


def test_everything_else_is_answered_by_the_app(gateway: Inside) -> None:
    assert gateway.get("/healthz").status_code == 200
    assert gateway.get("/readyz").json == {"database": "ok", "redis": "ok", "videos": "ok"}
    assert "matinee_authorisations_total" in gateway.get("/metrics").text


def test_a_volume_that_is_not_there_is_not_ready(gateway: Inside, house: House) -> None:
    house.site.videos_dir.rmdir()

    answer = gateway.get("/readyz")

    assert answer.status_code == 503
    assert "is not there" in answer.json["videos"]


@pytest.mark.parametrize("fault", [RedisConnectionError, DatabaseUnavailable])
def test_a_store_that_is_away_is_503(
    gateway: Inside, put: Put, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    def fail(*_: object) -> None:
        raise fault("away")

    video_id = put(visibility="public")
    away: type = Redis if fault is RedisConnectionError else Database
    monkeypatch.setattr(away, "mget" if away is Redis else "read", fail)

    answer = ask(gateway, video_id)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


@pytest.fixture
def commands(redis: Redis) -> Iterator[Callable[[], int]]:
    """Count the commands that clients have sent to Redis since the last time of asking."""
    seen = 0

    def count() -> int:
        nonlocal seen
        total = sum(fields["calls"] for fields in redis.info("commandstats").values())
        since, seen = total - seen, total + 1  # the next look at it counts itself
        return int(since)

    return count


def test_an_answer_costs_one_command_and_no_query(
    house: House,
    put: Put,
    common_settings: CommonSettings,
    commands: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stores = Stores.of(common_settings)
    video_id, token = put(), house.tokens["alice"]
    authorise(stores, token=token, video_id=video_id, media=ORIGINAL)
    monkeypatch.setattr(Database, "read", None)
    commands()

    authorise(stores, token=token, video_id=video_id, media=ORIGINAL)

    assert commands() == 1


def test_a_download_comes_with_the_name_to_keep_it_under(
    gateway: Inside, house: House, put: Put, bob: Client
) -> None:
    video_id = put(visibility="public", file_name="Sea.mp4")

    mine = ask(gateway, video_id, house.tokens["alice"], name="download")
    theirs = ask(gateway, video_id, house.tokens["bob"], name="download")

    assert mine.headers["X-Media-Path"] == f"{video_id}/original.mp4"
    expected = "attachment; filename=\"Sea.mp4\"; filename*=UTF-8''Sea.mp4"
    assert mine.headers["X-Media-Disposition"] == expected
    assert theirs.status_code == 403
    assert ask(gateway, video_id, name="download").status_code == 401


@pytest.mark.parametrize("container", ["mov", "mkv", "webm"])
def test_an_original_that_browsers_cannot_play_is_there_to_keep_alone(
    gateway: Inside, house: House, put: Put, container: str
) -> None:
    video_id = put(
        visibility="public", playable=False, container=container, file_name="Sea.original.MKV"
    )
    token = house.tokens["alice"]

    for _from_database_then_cache in range(2):
        assert ask(gateway, video_id, token).status_code == 403
        assert ask(gateway, video_id, token, name="master.m3u8").status_code == 204
    kept = ask(gateway, video_id, token, name="download")

    assert kept.headers["X-Media-Path"] == f"{video_id}/original.mp4"
    assert f'filename="Sea.original.{container}"' in kept.headers["X-Media-Disposition"]


def test_a_rejected_video_is_nobodys(gateway: Inside, house: House, put: Put) -> None:
    video_id = put(visibility="public", rejection_reason="The file is cut off.")

    assert ask(gateway, video_id, house.tokens["alice"]).status_code == 403


def grow_old(redis: Redis, house: House, name: str) -> str:
    """Have somebody's session end in five seconds, an hour after its last use; return its key."""
    key = session_key(house.tokens[name])
    redis.expire(key, 5)
    listed = f"sessions:{house.viewers[name].id}"
    [(session_id, value)] = redis.hgetall(listed).items()
    seen = (now() - timedelta(hours=1)).isoformat()
    redis.hset(listed, session_id, json.dumps(json.loads(value) | {"seen": seen}))
    return key


def test_a_video_puts_off_the_end_of_its_viewers_session(
    gateway: Inside, house: House, put: Put, redis: Redis
) -> None:
    video_id = put()
    key = grow_old(redis, house, "alice")
    assert ask(gateway, video_id, house.tokens["alice"]).status_code == 204
    assert redis.ttl(key) > 3500


def test_a_denied_request_does_not_extend_the_session(
    gateway: Inside, house: House, put: Put, redis: Redis, bob: Client
) -> None:
    key = grow_old(redis, house, "bob")

    assert ask(gateway, put(), house.tokens["bob"]).status_code == 403
    assert redis.ttl(key) <= 5


def test_a_session_that_has_ended_does_not_come_back(
    gateway: Inside, house: House, put: Put, redis: Redis
) -> None:
    token, video_id = house.tokens["alice"], put(visibility="public")
    house.sessions.end(token)

    assert ask(gateway, video_id, token).status_code == 204
    assert redis.keys("session*") == []


def test_unsharing_counts_from_the_next_request_on(
    gateway: Inside, house: House, put: Put, alice: Client, bob: Client
) -> None:
    video_id = put(visibility="public")
    tokens = ("", house.tokens["bob"], house.tokens["alice"])

    def statuses() -> list[int]:
        return [ask(gateway, video_id, token).status_code for token in tokens]

    assert statuses() == [204, 204, 204]
    alice.patch(f"/api/videos/{video_id}", json={"visibility": "members"})
    assert statuses() == [401, 204, 204]
    alice.patch(f"/api/videos/{video_id}", json={"visibility": "private"})
    assert statuses() == [401, 403, 204]


def test_a_stranger_cannot_keep_a_video_uncached(put: Put, bob: Client, redis: Redis) -> None:
    video_id = put(visibility="members")
    path = f"/api/videos/{video_id}"
    for method, address, body in (
        ("PATCH", path, {"title": "New"}),
        ("DELETE", path, None),
        ("DELETE", f"{path}?permanently=1", None),
        ("POST", f"{path}/restore", None),
        ("POST", f"{path}/grants", {"user": "bob", "level": "edit"}),
        ("POST", f"{path}/links", {}),
    ):
        assert bob.open(address, method=method, json=body).status_code == 404
    for do in ({"do": "delete"}, {"do": "restore"}, {"do": "visibility", "visibility": "public"}):
        answer = bob.post("/stream/selection", data=do | {"video": video_id})
        assert "changed=0&refused=1" in answer.location

    assert redis.get(f"video:{video_id}") != "changing"


def test_what_ends_while_it_is_cached_is_over(
    gateway: Inside, house: House, put: Put, bob: Client, redis: Redis
) -> None:
    """The entry stays as it was; only time has passed, which is put forward in the entry."""
    video_id, visit = put(), "visit".ljust(43, "x")
    shared = {"video_id": video_id, "level": Level.WATCH, "expires_at": now() + timedelta(hours=1)}
    grant = Grant(id=new_id(), user_id=house.viewers["bob"].id, **shared)
    owner = house.viewers["alice"].id
    link = Link(id=new_id(), token_hash="-", created_by_id=owner, **shared)
    seen = LinkVisit(token_hash=token_hash(visit), link_id=link.id)
    house.add(grant, link, seen)

    def statuses() -> list[int]:
        headers = {"X-Video": video_id, "X-Media-Name": "master.m3u8"}
        askers = ({"X-Session-Token": house.tokens["bob"]}, {"X-Visits": visit})
        return [gateway.get(PATH, headers=headers | asker).status_code for asker in askers]

    assert statuses() == [204, 204]
    entry = json.loads(redis.get(f"video:{video_id}"))
    for ending in (*entry["grants"], *entry["links"]):
        ending[-1] -= 3601
    redis.set(f"video:{video_id}", json.dumps(entry))
    assert statuses() == [403, 401]


def test_binning_and_deleting_count_from_the_next_request_on(
    gateway: Inside, house: House, put: Put, alice: Client
) -> None:
    video_id = put(visibility="public")
    assert ask(gateway, video_id).status_code == 204

    def statuses() -> list[int]:
        tokens = ("", house.tokens["alice"])
        return [ask(gateway, video_id, token).status_code for token in tokens]

    alice.post(f"/stream/{video_id}/delete")
    assert statuses() == [401, 204]
    alice.post(f"/api/videos/{video_id}/restore")
    assert statuses() == [204, 204]
    alice.post(f"/stream/{video_id}/delete")
    alice.post(f"/stream/{video_id}/delete-now")
    assert statuses() == [401, 403]


def test_signing_out_counts_from_the_next_request_on(
    gateway: Inside, house: House, put: Put
) -> None:
    video_id, token = put(), house.tokens["alice"]
    assert ask(gateway, video_id, token).status_code == 204

    house.sessions.end(token)

    assert ask(gateway, video_id, token).status_code == 401


FILES = {
    "video.mp4": "original.mp4",
    "poster.jpg": "poster.jpg",
    "storyboard.jpg": "storyboard.jpg",
    "storyboard.vtt": "storyboard.vtt",
    "master.m3u8": "hls/master.m3u8",
    "hls/720p.m3u8": "hls/720p.m3u8",
    "hls/720p.mp4": "hls/720p.mp4",
}


@pytest.mark.parametrize("name", FILES)
def test_every_file_of_a_video_is_for_those_who_may_watch(
    gateway: Inside, house: House, put: Put, bob: Client, name: str
) -> None:
    video_id = put()

    answers = [
        ask(gateway, video_id, token, name=name)
        for token in (house.tokens["alice"], house.tokens["bob"], "")
    ]

    assert [answer.status_code for answer in answers] == [204, 403, 401]
    assert answers[0].headers["X-Media-Path"] == f"{video_id}/{FILES[name]}"


def test_a_download_is_for_the_owner_and_for_those_whom_the_owner_lets(
    gateway: Inside, house: House, put: Put, bob: Client
) -> None:
    tokens = (house.tokens["alice"], house.tokens["bob"], "")

    def statuses(video_id: str) -> list[int]:
        return [ask(gateway, video_id, t, name="download").status_code for t in tokens]

    assert statuses(put(visibility="public")) == [204, 403, 401]
    assert statuses(put(visibility="public", downloadable=True)) == [204, 204, 204]
    assert statuses(put(downloadable=True)) == [204, 403, 401]


def test_a_download_without_a_file_name_is_called_by_its_title(
    gateway: Inside, house: House, put: Put
) -> None:
    video_id = put(title="By the sea")

    answer = ask(gateway, video_id, house.tokens["alice"], name="download")

    assert 'filename="By the sea.mp4"' in answer.headers["X-Media-Disposition"]
    assert "X-Media-Disposition" not in ask(gateway, video_id, house.tokens["alice"]).headers


def test_a_file_in_the_object_store(
    gateway: Inside, service: Any, house: House, put: Put, bob: Client, database: Database
) -> None:
    video = put("alice", "private")
    token = house.tokens["alice"]
    with Session(database.engine) as session, session.begin():
        for state, current in ((ObjectState.CURRENT, True), (ObjectState.RETIRED, None)):
            row = StoredObject(video_id=video, name="original.mp4", key=f"{video}/{state}/o")
            row.state, row.is_current = state, current
            session.add(row)
    settings = S3Settings(
        "https://s3.example.org", "us-east-1", "films", "in/", "path", "key", "secret"
    )
    stores = services_of(service, Services).stores
    urls = PresignedUrls(S3Store(settings))
    with_store = Inside(AuthRequestMiddleware(service, stores, urls), use_cookies=False)

    answers = [ask(with_store, video, token, name=name) for name in ("video.mp4", "download")]
    on_disk = ask(with_store, video, token, name="poster.jpg")
    refused = ask(with_store, video, house.tokens["bob"])
    unknown_store = ask(gateway, video, token)

    for answer in answers:
        assert answer.status_code == 204
        assert answer.headers["X-Media-Key"] == f"{video}/current/o"
        assert answer.headers["X-Media-Url"].startswith(f"/films/in/{video}/current/o?")
        assert "X-Media-Path" not in answer.headers
    assert "X-Media-Disposition" in answers[1].headers
    assert on_disk.headers["X-Media-Path"] == f"{video}/poster.jpg"
    assert "X-Media-Key" not in on_disk.headers
    assert (refused.status_code, "X-Media-Key" in refused.headers) == (403, False)
    assert unknown_store.status_code == 503


def test_segments_in_the_object_store_are_at_the_cdn(
    service: Any, house: House, put: Put, bob: Client, database: Database
) -> None:
    video = put("alice", "private")
    names = ("original.mp4", "hls/720p.mp4", "hls/720p.m3u8")
    with Session(database.engine) as session, session.begin():
        for name in names:
            session.add(
                StoredObject(
                    video_id=video,
                    name=name,
                    key=f"{video}/0/{name}",
                    state=ObjectState.CURRENT,
                    is_current=True,
                )
            )
    settings = S3Settings(
        "https://s3.example.org", "us-east-1", "films", "in/", "path", "key", "secret"
    )
    cdn = CdnUrls(CdnSettings(CdnKind.HMAC, "https://cdn.example.org", "secret"), prefix="in/")
    stores = services_of(service, Services).stores
    middleware = AuthRequestMiddleware(service, stores, PresignedUrls(S3Store(settings)), cdn)
    with_cdn = Inside(middleware, use_cookies=False)
    token = house.tokens["alice"]

    segment = ask(with_cdn, video, token, name="hls/720p.mp4")
    others = [ask(with_cdn, video, token, name=name) for name in ("video.mp4", "hls/720p.m3u8")]
    refused = ask(with_cdn, video, house.tokens["bob"], name="hls/720p.mp4")

    address = segment.headers["X-Media-Redirect"]
    assert address.startswith("https://cdn.example.org/")
    assert address.endswith(f"/in/{video}/0/hls/720p.mp4")
    assert "X-Media-Url" not in segment.headers
    for answer in others:
        assert "X-Media-Url" in answer.headers
        assert "X-Media-Redirect" not in answer.headers
    assert (refused.status_code, "X-Media-Redirect" in refused.headers) == (403, False)
