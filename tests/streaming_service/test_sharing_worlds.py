"""Random worlds: the list of who can watch names whom the rules let in, and what HTTP answers to
each of them is what the rules say.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import Client as Inside

from common.access import Viewer
from common.stores.sessions import SessionStore, token_hash
from common.stores.visits import visit_key
from common.web.auth import SESSION_COOKIE, VISIT_COOKIE
from db.engine import Database
from db.models import (
    Caption,
    GroupMember,
    LinkVisit,
    Rendition,
    RenditionKind,
    Role,
    Video,
)
from streaming_service.sharing.access_list import AccessEntry, EntryKind, load_access_list
from tests.conftest import Site
from tests.worlds import (
    COUNT,
    PEOPLE,
    VIDEOS,
    World,
    add_people,
    empty,
    expected,
    fill,
    video_id,
    worlds,
)

pytestmark = pytest.mark.on_mysql

LEVELS = ["watch", "download", "edit", "share"]


# --- the list -------------------------------------------------------------------------------------


def let_in(session: Session, entry: AccessEntry) -> set[int]:
    """Return the numbers of the people whom an entry lets in."""
    if entry.kind in (EntryKind.OWNER, EntryKind.USER):
        assert entry.user_id is not None
        return {entry.user_id - 1}
    if entry.kind is EntryKind.GROUP:
        members = select(GroupMember.user_id).where(GroupMember.group_id == entry.group_id)
        found = {user_id - 1 for user_id in session.scalars(members)}
        assert entry.member_count == len(found)
        return found
    return set() if entry.kind is EntryKind.LINK else set(range(PEOPLE))


def check_list(session: Session, world: World) -> None:
    fill(session, [world])
    for number in range(VIDEOS):
        entries = load_access_list(session, session.get_one(Video, video_id(number))).entries
        best: dict[int, int] = {}
        for entry in entries:
            for person in let_in(session, entry):
                best[person] = max(best.get(person, 0), LEVELS.index(entry.level))
        for person in range(PEOPLE):
            rights = expected(world, person, set(), number)
            assert (person in best) == rights.watch
            allowed = [rights.watch, rights.download, rights.edit, rights.share]
            level = best.get(person, -1)
            assert allowed == [level >= step for step in range(len(LEVELS))]
        kinds = {entry.kind for entry in entries}
        assert (EntryKind.EVERYBODY in kinds) == expected(world, None, set(), number).watch
        listed = {entry.link for entry in entries if entry.kind is EntryKind.LINK}
        opened = {
            f"0link{link}"
            for link in range(len(world.links))
            if EntryKind.EVERYBODY not in kinds and expected(world, None, {link}, number).watch
        }
        assert opened <= listed
        if EntryKind.EVERYBODY not in kinds:
            assert opened == listed


def test_the_list_names_whom_the_rules_let_in(database: Database) -> None:
    database.write(add_people)

    @settings(
        max_examples=COUNT // 10,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(world=worlds)
    def agree(world: World) -> None:
        with Session(database.engine) as session:
            check_list(session, world)
            session.rollback()

    agree()


# --- HTTP -----------------------------------------------------------------------------------------

MEDIA = {
    "master.m3u8": "watch",
    "hls/240p.mp4": "watch",
    "poster.jpg": "watch",
    "storyboard.vtt": "watch",
    "video.mp4": "play_original",
    "download": "download",
}
PAGES = {
    "/stream/{}": "watch",
    "/stream/{}/captions/en.vtt": "watch",
    "/api/videos/{}": "watch",
    "/api/videos/{}/progress": "watch",
    "/stream/{}/edit": "edit",
    "/stream/{}/access": "share",
    "/api/videos/{}/access": "share",
}


class Answers:
    """Asks the streaming service as the people of a world, and as visitors with links."""

    def __init__(self, site: Site, redis: Redis) -> None:
        self._client = Inside(site.apps["streaming"], use_cookies=False)
        self._sessions = SessionStore(redis, ttl=3600)
        self._tokens: dict[int | None, str] = {None: ""}

    def sign_in(self) -> None:
        """Begin a session for each person."""
        for number in range(PEOPLE):
            viewer = Viewer(number + 1, f"person{number}", Role.VIEWER)
            token = self._sessions.begin(viewer, device="Test", address="127.0.0.1")
            self._tokens[number] = token

    def has_file(self, person: int | None, visits: str, video: str, name: str) -> bool:
        """Tell whether the front server would send a file."""
        headers = {
            "X-Video": video,
            "X-Media-Name": name,
            "X-Session-Token": self._tokens[person],
            "X-Visits": visits,
        }
        answer = self._client.get("/internal/authorise", headers=headers)
        assert answer.status_code in (204, 401, 403)
        return answer.status_code == 204

    def has_page(self, person: int | None, visits: str, path: str) -> bool:
        """Tell whether a page is shown."""
        cookies = f"{SESSION_COOKIE}={self._tokens[person]}; {VISIT_COOKIE}={visits}"
        answer = self._client.get(path, headers={"Cookie": cookies})
        assert answer.status_code in (200, 303, 401, 404), answer.text
        return answer.status_code == 200


def fill_with_media(session: Session, world: World) -> None:
    """Store a world, with captions and a rendition of each video, and a visit to each link."""
    empty(session)
    fill(session, [world])
    for number in range(VIDEOS):
        track = {"language": "en", "label": "English", "body": "WEBVTT\n"}
        session.add(Caption(video_id=video_id(number), **track))
        session.add(
            Rendition(
                video_id=video_id(number),
                name="240p",
                kind=RenditionKind.VIDEO,
                codecs="avc1.64001f",
                bandwidth=1,
                average_bandwidth=1,
                size=1,
                width=426,
                height=240,
                frame_rate=25.0,
            )
        )
    for link in range(len(world.links)):
        session.add(LinkVisit(token_hash=token_hash(f"visit{link}"), link_id=f"0link{link}"))
    session.flush()


def check_answers(answers: Answers, world: World) -> None:
    visitors: list[tuple[int | None, set[int]]] = [(person, set()) for person in range(PEOPLE)]
    visitors += [(None, set()), *((None, {link}) for link in range(len(world.links)))]
    for person, opened in visitors:
        visits = ".".join(f"visit{link}" for link in opened)
        for number in range(VIDEOS):
            video, plan = video_id(number), world.videos[number]
            rights = expected(world, person, opened, number)
            for name, right in MEDIA.items():
                # Nobody has the bytes of a rejected video, its owner included.
                wanted = getattr(rights, right) and not plan.is_rejected
                assert answers.has_file(person, visits, video, name) == wanted, (person, name)
            for path, right in PAGES.items():
                is_caption = path.endswith(".vtt")
                if plan.is_rejected and is_caption:
                    continue
                shown = answers.has_page(person, visits, path.format(video))
                assert shown == getattr(rights, right), (person, path)


def test_http_answers_as_the_rules_say(site: Site, database: Database, redis: Redis) -> None:
    database.write(add_people)
    answers = Answers(site, redis)
    answers.sign_in()

    @settings(
        max_examples=COUNT // 100,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(world=worlds)
    def agree(world: World) -> None:
        database.write(lambda session: fill_with_media(session, world))
        entries = [f"video:{video_id(number)}" for number in range(VIDEOS)]
        groups = [f"groups:{number + 1}" for number in range(PEOPLE)]
        visits = [visit_key(f"visit{number}") for number in range(2)]
        redis.delete(*entries, *groups, *visits)
        check_answers(answers, world)

    agree()
