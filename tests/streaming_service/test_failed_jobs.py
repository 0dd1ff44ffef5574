"""What could not be prepared, as administrators see it, and trying it again."""

from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from db.models import Job, JobKind, JobState, User, Video, now
from streaming_service.videos.failed_jobs import PAGE
from tests.conftest import Client

from .conftest import House, Put

PAGE_PATH, API = "/stream/failed", "/api/videos/failed"
SENTENCE, LINES = "The picture could not be read.", "[h264 @ 0x1] <b>bad</b> cabac"


def fail(house: House, video_id: str, kind: JobKind = JobKind.RENDITION, **fields: Any) -> int:
    """Give a video a step that failed, and return its id."""
    values = {"attempts": 3, "error": SENTENCE, "log_tail": LINES, "finished_at": now()} | fields
    if kind is JobKind.RENDITION:
        values = {"height": 720} | values
    return house.add_job(video_id, kind, JobState.FAILED, **values)


def listed(client: Client, path: str = API) -> list[dict[str, Any]]:
    """Return the steps that a script is told of."""
    found: list[dict[str, Any]] = client.get(path).json["steps"]
    return found


def job(house: House, step: int) -> Job:
    """Return a step's row as it is now."""
    return house.database.read(lambda session: session.get_one(Job, step))


def wake_ups(redis: Redis) -> int:
    """Return how many times workers have been called: the entries of all lists."""
    lists = [key for key in redis.scan_iter() if redis.type(key) == "list"]
    return sum(int(redis.llen(key)) for key in lists)


def test_an_administrator_sees_which_step_failed_and_why(
    house: House, put: Put, charlie: Client
) -> None:
    video_id = put(visibility="members")
    ended = now() - timedelta(hours=2)
    step = fail(house, video_id, finished_at=ended)

    page, [told] = charlie.get(PAGE_PATH).text, listed(charlie)

    for part in ("720p: failed", "alice", "2 hours ago", "3 attempts", SENTENCE, video_id):
        assert part in page
    assert "&lt;b&gt;bad&lt;/b&gt; cabac" in page
    assert f'action="/stream/failed/{step}/again"' in page
    assert told == {
        "id": step,
        "video": video_id,
        "title": "A day at the sea",
        "owner": "alice",
        "kind": "rendition",
        "height": 720,
        "words": "720p: failed",
        "ended_at": ended.isoformat(timespec="seconds"),
        "attempts": 3,
        "error": SENTENCE,
        "detail": LINES,
        "urls": {"again": f"/stream/failed/{step}/again", "page": f"/stream/{video_id}"},
    }


def test_nothing_of_a_private_video_is_told_but_that_a_step_failed(
    house: House, put: Put, charlie: Client
) -> None:
    video_id = put(title="A secret day")
    fail(house, video_id, JobKind.THUMBNAILS)

    page, [told] = charlie.get(PAGE_PATH).text, listed(charlie)

    assert "secret" not in page
    assert f'href="/stream/{video_id}"' not in page
    assert f"{video_id}/" not in page
    assert told["title"] is None
    assert "page" not in told["urls"]
    for part in ("Thumbnails: failed", "alice", "A video that only its owner can see"):
        assert part in page


def test_an_administrators_own_private_video_has_its_title(house: House, charlie: Client) -> None:
    fail(house, house.put("charlie", title="My own"))

    assert "My own" in charlie.get(PAGE_PATH).text
    assert listed(charlie)[0]["title"] == "My own"


def test_only_administrators_see_the_list_and_try_again(
    house: House, put: Put, alice: Client, bob: Client, nobody: Client
) -> None:
    step = fail(house, put())
    again = f"/stream/failed/{step}/again"

    for client, page, script in ((alice, 403, 403), (bob, 403, 403), (nobody, 303, 401)):
        assert client.get(PAGE_PATH).status_code == page
        answer = client.get(API)
        assert (answer.status_code, "error" in answer.json) == (script, True)
        assert client.post(again).status_code == script
    assert job(house, step).state is JobState.FAILED


def test_an_empty_list_says_what_that_means(charlie: Client) -> None:
    assert "Nothing failed" in charlie.get(PAGE_PATH).text
    assert charlie.get(API).json == {"steps": [], "next": None}


@pytest.mark.on_mysql
def test_what_is_not_for_an_administrator_to_mend_is_not_listed(
    house: House, put: Put, charlie: Client
) -> None:
    refused, deleted, ownerless = (
        put(rejection_reason="It is cut off."),
        put(deleted_at=now()),
        put(),
    )
    house.change(Video, ownerless, owner_id=None)
    steps = [fail(house, video_id) for video_id in (refused, deleted, ownerless)]
    waiting = house.add_job(put(), JobKind.CHECK, JobState.WAITING, error=SENTENCE)
    house.add_job(put(), JobKind.CHECK, JobState.DONE)

    assert listed(charlie) == []
    for step in (*steps, waiting):
        answer = charlie.post(f"/stream/failed/{step}/again")
        assert answer.location == "/stream/failed?done=gone"
    assert [job(house, step).state for step in steps] == [JobState.FAILED] * 3
    assert job(house, waiting).error == SENTENCE


@pytest.mark.on_mysql
def test_the_latest_come_first_a_page_at_a_time(house: House, put: Put, charlie: Client) -> None:
    begun = now()
    video_id = put()
    # Some ended at the same moment, and stay apart by their ids.
    steps = [
        fail(house, video_id, height=n, finished_at=begun + timedelta(seconds=n // 4))
        for n in range(2 * PAGE + 3)
    ]
    seen, after = [], ""
    while True:
        answer = charlie.get(f"{API}?after={after}" if after else API).json
        seen.append([step["id"] for step in answer["steps"]])
        if (after := answer["next"]) is None:
            break

    assert [len(page) for page in seen] == [PAGE, PAGE, 3]
    assert [step for page in seen for step in page] == steps[::-1]
    page = charlie.get(PAGE_PATH).text
    [more] = [part.split('"')[0] for part in page.split('href="') if "?after=" in part[:30]]
    following = charlie.get(more).text
    assert f"/stream/failed/{seen[1][0]}/again" in following
    assert f"/stream/failed/{seen[0][-1]}/again" not in following


@pytest.mark.parametrize(
    "after", ["x", "", "1", "1-", "-1", "1-2-3", "9" * 18 + "-1", "1-" + "9" * 19, "²-1", "1-2\n"]
)
def test_a_cursor_that_makes_no_sense(house: House, put: Put, charlie: Client, after: str) -> None:
    fail(house, put())

    assert charlie.get(API, query_string={"after": after}).status_code == 422
    assert SENTENCE in charlie.get(PAGE_PATH, query_string={"after": after}).text


def test_a_step_that_failed_is_tried_again(
    house: House, put: Put, charlie: Client, redis: Redis
) -> None:
    video_id = put()
    step, other = fail(house, video_id), fail(house, video_id, height=480)

    answer = charlie.post(f"/stream/failed/{step}/again")

    assert (answer.status_code, answer.location) == (303, "/stream/failed?done=again")
    page = charlie.get(answer.location).text
    assert "It is being tried again." in page
    assert f"/stream/failed/{step}/again" not in page
    row = job(house, step)
    assert (row.state, row.attempts, row.progress) == (JobState.WAITING, 0, 0.0)
    assert (row.error, row.log_tail, row.finished_at, row.not_before) == (None,) * 4
    assert job(house, other).state is JobState.FAILED
    assert wake_ups(redis) == 1


@pytest.mark.on_mysql
def test_pressing_twice_starts_it_once(
    house: House, put: Put, charlie: Client, redis: Redis
) -> None:
    step = fail(house, put())
    charlie.post(f"/stream/failed/{step}/again")
    house.change(Job, step, state=JobState.RUNNING, attempts=1, progress=0.5)

    answer = charlie.post(f"/stream/failed/{step}/again")

    assert "Nothing was changed" in charlie.get(answer.location).text
    row = job(house, step)
    assert (row.state, row.attempts, row.progress) == (JobState.RUNNING, 1, 0.5)
    assert wake_ups(redis) == 1


def test_steps_of_a_disabled_persons_videos_are_still_listed(
    house: House, put: Put, charlie: Client
) -> None:
    fail(house, put())
    house.change(User, house.viewers["alice"].id, disabled_at=now())

    assert [step["owner"] for step in listed(charlie)] == ["alice"]


def test_another_site_starts_nothing(house: House, put: Put, charlie: Client) -> None:
    step = fail(house, put())

    answer = charlie.post(f"/stream/failed/{step}/again", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert job(house, step).state is JobState.FAILED


def test_the_two_pages_for_administrators_lead_to_each_other(charlie: Client) -> None:
    people, failed = charlie.get("/admin").text, charlie.get(PAGE_PATH).text

    assert 'href="/stream/failed"' in people
    assert 'href="/admin"' in failed.partition("<main")[2].partition("</nav>")[0]
