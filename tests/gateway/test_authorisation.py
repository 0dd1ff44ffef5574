"""Who gets a file: the sub-request, its key, how long its answer holds, and what it may say."""

import itertools
import time
from collections.abc import Callable
from threading import Barrier, Event, Thread

import pytest

from tests.fake_service import Answer, Reply, Seen

from .harness import (
    ALICE,
    BOB,
    BYTES,
    CHARLIE,
    COOKIE,
    MEDIA,
    VIDEO,
    VISIT,
    Gateway,
    allow_only,
    newcomer,
)

pytestmark = pytest.mark.needs_nginx

RANGES = [None, "bytes=0-0", "bytes=-1", "bytes=1000-", "items=0-5", "bytes=0-1,3-4"]


def next_second() -> None:
    """Wait until the answers about access that are kept now have gone."""
    time.sleep(1.02 - time.time() % 1)


def clock_second() -> int:
    """Return the present second of the clock: an answer about access is kept to its end."""
    return int(time.time())


def asked(gateway: Gateway) -> list[Seen]:
    """Return what was asked about access."""
    return [seen for seen in gateway.streaming.seen if seen.path == "/internal/authorise"]


@pytest.mark.parametrize("media_range", RANGES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
def test_no_byte_for_strangers(gateway: Gateway, method: str, media_range: str | None) -> None:
    headers = {"Range": media_range} if media_range else {}

    nobody = gateway.ask(MEDIA, method=method, headers=headers)
    stranger = gateway.ask(MEDIA, method=method, headers=headers, token=BOB)

    assert nobody.status == 401
    assert stranger.status == 404
    for answer in (nobody, stranger):
        assert answer.header("Cache-Control") == "no-store"
        assert answer.header("ETag") is None
        assert answer.header("Content-Range") is None
        assert answer.header("Last-Modified") is None
        assert BYTES[:10] not in answer.body


def test_not_yours_and_not_there_look_the_same(gateway: Gateway) -> None:
    not_yours = gateway.ask(MEDIA, token=BOB)
    not_there = gateway.ask(f"/stream/{'Z' * 22}/video.mp4", token=ALICE)

    assert not_yours.status == not_there.status == 404
    assert not_yours.json()["error"] == not_there.json()["error"]
    varying = {"date", "x-request-id"}
    assert [pair for pair in not_yours.headers.items() if pair[0].lower() not in varying] == [
        pair for pair in not_there.headers.items() if pair[0].lower() not in varying
    ]


def test_the_service_sees_only_what_the_key_holds(gateway: Gateway) -> None:
    gateway.ask(
        MEDIA + "?share=x",
        token=ALICE,
        headers={
            "Authorization": f"Bearer {CHARLIE}",
            "X-Session-Token": BOB,
            "X-Bearer": BOB,
            "X-Visits": VISIT,
            "X-Video": "B" * 22,
            "X-Media-Name": "../x",
            "X-Forwarded-For": "1.2.3.4",
            "Accept-Language": "de",
        },
    )

    seen = asked(gateway)[-1]
    names = {name.lower() for name in seen.headers}
    assert names == {
        "host",
        "x-request-id",
        "x-session-token",
        "x-bearer",
        "x-video",
        "x-media-name",
    }
    assert seen.header("X-Session-Token") == ALICE
    assert seen.header("X-Bearer") == f"Bearer {CHARLIE}"
    assert seen.header("X-Video") == VIDEO
    assert seen.header("X-Media-Name") == "video.mp4"


def test_bob_never_gets_alices_answer(gateway: Gateway) -> None:
    for _ in range(200):
        assert gateway.ask(MEDIA, token=ALICE).status == 200
        assert gateway.ask(MEDIA, token=BOB).status == 404
        assert gateway.ask(MEDIA).status == 401


def test_a_viewer_costs_one_question_a_second(gateway: Gateway) -> None:
    alice, bob = newcomer(), newcomer()
    gateway.streaming.reply = allow_only(alice)
    began = clock_second()

    for _ in range(50):
        gateway.ask(MEDIA, token=alice, headers={"Range": "bytes=0-9"})
        gateway.ask(MEDIA, token=bob)

    # Two people, in each second of the clock.
    assert 2 <= len(asked(gateway)) <= 2 * (clock_second() - began + 1)


@pytest.mark.parametrize("phase", [0.02, 0.95])
def test_access_that_is_taken_away_ends_with_the_second(gateway: Gateway, phase: float) -> None:
    alice = newcomer()
    gateway.streaming.reply = allow_only(alice)
    next_second()
    time.sleep(phase)
    assert gateway.ask(MEDIA, token=alice).status == 200

    gateway.streaming.reply = allow_only()
    taken = clock_second()
    while True:
        began = clock_second()
        if gateway.ask(MEDIA, token=alice).status == 404:
            break
        assert began == taken
        time.sleep(0.01)


def test_access_that_is_given_works_in_the_next_second(gateway: Gateway) -> None:
    alice = newcomer()
    assert gateway.ask(MEDIA, token=alice).status == 404

    gateway.streaming.reply = allow_only(alice)
    next_second()

    assert gateway.ask(MEDIA, token=alice).status == 200


# The key -----------------------------------------------------------------------------------------

OTHER = "B" * 22


@pytest.mark.parametrize(
    "headers",
    [
        # Each tries to be, for the key, what Alice's own request with `Bearer <BOB>` would be.
        {"Cookie": f"{COOKIE}={ALICE}/Bearer {BOB}"},
        {"Cookie": f"{COOKIE}={ALICE}/"},
        {"Cookie": f'{COOKIE}="{ALICE}"'},
        {"Cookie": f"{COOKIE}={ALICE} "},
        {"Cookie": f"{COOKIE}={ALICE}%2F"},
        {"Cookie": f"{COOKIE}={ALICE[:-1]}"},
        {"Cookie": f"{COOKIE}={ALICE}x"},
        {"Cookie": f"{COOKIE}="},
        {"Cookie": f"{COOKIE}"},
        {"Cookie": f"x{COOKIE}={ALICE}"},
        {"Cookie": f"{COOKIE}={'a' * 10_000}"},
        {"Cookie": f"{COOKIE}={'é' * 40}".encode().decode("latin-1")},
        {"Authorization": f"Basic {ALICE}"},
        {"Authorization": f"Bearer {ALICE}/x"},
        {"Authorization": f"Bearer /{ALICE}"},
        {"Authorization": f"Bearer {ALICE} {BOB}"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer " + "a" * 10_000},
        {"X-Session-Token": ALICE},
        {"X-Bearer": f"Bearer {ALICE}"},
    ],
)
def test_what_is_not_alices_token_gets_nothing(gateway: Gateway, headers: dict[str, str]) -> None:
    for _ in range(2):
        assert gateway.ask(MEDIA, token=ALICE).status == 200
        trimmed = headers.get("Cookie") == f"{COOKIE}={ALICE} "
        # A trailing blank of a header is not part of its value (RFC 9110, 5.5).
        assert gateway.ask(MEDIA, headers=headers).status == (200 if trimmed else 401)


def test_different_credentials_never_share_an_answer(gateway: Gateway) -> None:
    """Whatever is asked, an answer is that of exactly the question the service was asked."""

    def reply(seen: Seen) -> Reply:
        names = ("X-Session-Token", "X-Bearer", "X-Visits", "X-Video", "X-Media-Name")
        question = "|".join(seen.header(name) or "" for name in names)
        allowed = question in (f"{ALICE}|||{VIDEO}|video.mp4", f"||{VISIT}|{VIDEO}|video.mp4")
        return Reply(204, {"X-Media-Path": f"{VIDEO}/original.mp4"}) if allowed else Reply(403)

    next_second()
    gateway.streaming.reply = reply
    tokens = ["", ALICE, BOB, "a" * 16, "a" * 17]
    bearers = ["", ALICE, BOB, "a" * 16, "bad/one"]
    for _ in range(2):
        for token, bearer, video, visits in itertools.product(
            tokens, bearers, [VIDEO, OTHER], ["", VISIT, f"{VISIT}.{ALICE}", f"/{VISIT}"]
        ):
            headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
            headers["Cookie"] = f"{COOKIE}={token}; matinee_visits={visits}"
            answer = gateway.ask(f"/stream/{video}/video.mp4", headers=headers)
            known = visits if visits != f"/{VISIT}" else ""
            asked_for = (token, bearer, known, video)
            granted = asked_for in ((ALICE, "", "", VIDEO), ("", "", VISIT, VIDEO))
            assert answer.status == (200 if granted else 404), asked_for


def test_of_a_cookie_sent_twice_the_first_counts(gateway: Gateway) -> None:
    alice, bob = newcomer(), newcomer()
    gateway.streaming.reply = allow_only(alice)
    first = gateway.ask(MEDIA, headers={"Cookie": f"{COOKIE}={alice}; {COOKIE}={bob}"})
    second = gateway.ask(MEDIA, headers={"Cookie": f"{COOKIE}={bob}; {COOKIE}={alice}"})

    assert (first.status, second.status) == (200, 404)
    assert asked(gateway)[-1].header("X-Session-Token") == bob


def test_our_cookie_is_found_among_many(gateway: Gateway) -> None:
    cookies = f"a={'x' * 5000}; {COOKIE}={ALICE}; b={'y' * 5000}"

    assert gateway.ask(MEDIA, headers={"Cookie": cookies}).status == 200


def test_a_bearer_token_opens_what_its_owner_may_watch(gateway: Gateway) -> None:
    alice, bob = newcomer(), newcomer()
    gateway.streaming.reply = allow_only(alice)
    assert gateway.ask(MEDIA, headers={"Authorization": f"Bearer {alice}"}).status == 200
    assert gateway.ask(MEDIA, headers={"Authorization": f"bearer  {alice}"}).status == 200
    assert gateway.ask(MEDIA, headers={"Authorization": f"Bearer {bob}"}).status == 404


def test_another_kind_of_authorization_leaves_the_session_in_force(gateway: Gateway) -> None:
    """A proxy in front may ask for a password of its own."""
    alice = newcomer()
    gateway.streaming.reply = allow_only(alice)
    headers = {"Authorization": "Basic dXNlcjpwYXNz", "Cookie": f"{COOKIE}={alice}"}

    assert gateway.ask(MEDIA, headers=headers).status == 200


def test_a_bearer_token_that_is_none_outweighs_the_session(gateway: Gateway) -> None:
    alice = newcomer()
    gateway.streaming.reply = allow_only(alice)
    headers = {"Authorization": "Bearer no/token", "Cookie": f"{COOKIE}={alice}"}

    assert gateway.ask(MEDIA, headers=headers).status == 401


# What the service may say ------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 204])
def test_both_forms_of_yes(gateway: Gateway, status: int) -> None:
    alice = newcomer()
    path = {"X-Media-Path": f"{VIDEO}/original.mp4"}
    gateway.streaming.reply = lambda _: Reply(status, path, b"yes" if status == 200 else b"")

    answers = [gateway.ask(MEDIA, token=alice) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert answers[-1].body == BYTES


@pytest.mark.parametrize("status", [302, 400, 404, 429, 500, 502, 503])
def test_any_other_answer_is_503_and_is_not_kept(gateway: Gateway, status: int) -> None:
    charlie = newcomer()
    gateway.streaming.reply = lambda _: Reply(status, {"X-Media-Path": f"{VIDEO}/original.mp4"})

    answer = gateway.ask(MEDIA, token=charlie)

    assert answer.status == 503
    assert answer.header("Retry-After")
    assert answer.header("Cache-Control") == "no-store"
    assert "again" in answer.json()["error"]

    gateway.streaming.reply = allow_only(charlie)
    assert gateway.ask(MEDIA, token=charlie).status == 200


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "original.mp4",
        f"{VIDEO}/",
        f"{VIDEO}/../{VIDEO}/original.mp4",
        f"/{VIDEO}/original.mp4",
        f"{OTHER}/original.mp4",
        f"{VIDEO}/other.mp4",
        f"{VIDEO}/hls/../other.mp4",
        f"{VIDEO}/hls/x/other.mp4",
        f"{VIDEO}/.work-1-1/poster.jpg",
        f"{VIDEO}/original.mp4/",
        f"{VIDEO}/original.mp4x",
        f"{VIDEO}/originalxmp4",
        "../../../../../../etc/passwd",
        "/etc/passwd",
        f"incoming/{VIDEO}",
    ],
)
def test_a_path_of_another_shape_is_not_there(gateway: Gateway, path: str | None) -> None:
    gateway.put_video(OTHER)
    (gateway.videos / VIDEO / "other.mp4").write_bytes(b"other")
    gateway.streaming.reply = lambda _: Reply(204, {} if path is None else {"X-Media-Path": path})

    assert gateway.ask(MEDIA, token=newcomer()).status == 404
    assert len(asked(gateway)) == 1


def test_headers_of_the_service_neither_reach_the_client_nor_stop_the_cache(
    gateway: Gateway,
) -> None:
    alice = newcomer()
    headers = {
        "X-Media-Path": f"{VIDEO}/original.mp4",
        "Set-Cookie": "a=b",
        "Cache-Control": "no-store",
        "Vary": "*",
        "X-Accel-Redirect": "/healthz",
    }
    gateway.streaming.reply = lambda _: Reply(204, headers)

    began = clock_second()
    answers = [gateway.ask(MEDIA, token=alice) for _ in range(20)]

    assert {answer.status for answer in answers} == {200}
    assert answers[-1].header("Set-Cookie") is None
    assert len(asked(gateway)) <= clock_second() - began + 1


def test_a_service_that_hangs_is_503_in_time(gateway: Gateway) -> None:
    over = Event()

    def hang(_seen: Seen) -> Reply:
        over.wait(10)
        return Reply(503)

    gateway.streaming.reply = hang
    began = time.monotonic()

    assert gateway.ask(MEDIA, token=newcomer()).status == 503
    assert time.monotonic() - began < 3.9
    over.set()


def test_many_at_once_do_not_wait_for_each_other(gateway: Gateway) -> None:
    """All questions are with the service before any of them is answered."""
    alice = newcomer()
    yes: Callable[[Seen], Reply] = allow_only(alice)
    all_asked = Barrier(20)

    def reply(seen: Seen) -> Reply:
        all_asked.wait(10)
        return yes(seen)

    gateway.streaming.reply = reply
    answers: list[Answer] = []
    threads = [
        Thread(target=lambda: answers.append(gateway.ask(MEDIA, token=alice))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.status for answer in answers] == [200] * 20
