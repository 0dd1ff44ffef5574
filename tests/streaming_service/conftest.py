"""People who are signed in, and videos that are there, without going through other services."""

from collections.abc import Callable
from random import Random
from typing import Any, ParamSpec

import pytest
from redis import Redis
from sqlalchemy import event
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from common import site_settings
from common.access import Viewer
from common.ids import new_id
from common.stores.sessions import SessionStore
from common.web.auth import SESSION_COOKIE
from common.web.services import services_of
from db.engine import Database
from db.models import (
    Base,
    Collection,
    CollectionItem,
    Grant,
    Group,
    GroupMember,
    Job,
    JobKind,
    JobState,
    Level,
    Rendition,
    RenditionKind,
    Role,
    User,
    Video,
    Visibility,
)
from streaming_service.services import StreamingServices
from tests.conftest import Client, Site

BYTES = Random(1).randbytes(1000)
P = ParamSpec("P")
Put = Callable[..., str]
"""As the fixture `put`."""


class Browser(Client):
    """A browser that reads each answer to its end, so that no file stays open after a test."""

    def open(self, *args: Any, **options: Any) -> TestResponse:
        """Send a request."""
        options.setdefault("buffered", True)
        return super().open(*args, **options)


class House:
    """Opens accounts with a session each, and puts videos on the shelf."""

    def __init__(self, site: Site, database: Database, redis: Redis) -> None:
        self.site = site
        self.database = database
        self.sessions = SessionStore(redis, ttl=3600)
        self.viewers: dict[str, Viewer] = {}
        self.tokens: dict[str, str] = {}

    @property
    def services(self) -> StreamingServices:
        """What the views of the streaming service work with."""
        return services_of(self.site.apps["streaming"], StreamingServices)

    def browser(self) -> Client:
        """Return a browser that is signed out."""
        return Browser(self.site.wsgi, "127.0.0.1")

    def add(self, *rows: Base) -> None:
        """Add rows, one after the other."""

        def work(session: Session) -> None:
            for row in rows:
                session.add(row)
                session.flush()

        self.database.write(work)

    def join(self, name: str, role: Role = Role.UPLOADER) -> Client:
        """Open an account, and return a browser in which it is signed in."""
        user = User(name=name, name_key=name.casefold(), password_hash="-", role=role)
        self.add(user)
        viewer = self.viewers[name] = Viewer(id=user.id, name=name, role=role)
        self.tokens[name] = self.sessions.begin(viewer, device="Test", address="127.0.0.1")
        browser = self.browser()
        browser.set_cookie(SESSION_COOKIE, self.tokens[name])
        return browser

    def put(
        self,
        owner: str | None = "alice",
        visibility: Visibility | str = Visibility.PRIVATE,
        *,
        data: bytes = BYTES,
        **fields: Any,
    ) -> str:
        """Put a video with its file in place, and return its id."""
        video = Video(
            **{
                "id": new_id(),
                "owner_id": None if owner is None else self.viewers[owner].id,
                "visibility": Visibility(visibility),
                "title": "A day at the sea",
                "description": "",
                "size": len(data),
                "duration_ms": 61_000,
                "width": 1280,
                "height": 720,
                "video_codec": "avc1.64001f",
                "audio_codec": "mp4a.40.2",
            }
            | fields
        )
        folder = self.site.videos_dir / video.id
        folder.mkdir()
        (folder / "original.mp4").write_bytes(data)
        self.add(video)
        return str(video.id)

    def add_job(
        self, video_id: str, kind: JobKind, state: JobState = JobState.WAITING, **fields: Any
    ) -> int:
        """Give a video a step of its preparation, and return its id."""
        job = Job(video_id=video_id, kind=kind, state=state, **fields)
        self.add(job)
        return int(job.id)

    def grant(self, name: str, level: Level | str = Level.WATCH, **columns: Any) -> str:
        """Share what the columns name with somebody, and return the grant's id."""
        user_id = self.viewers[name].id
        grant = Grant(id=new_id(), user_id=user_id, level=Level(level), **columns)
        self.add(grant)
        return str(grant.id)

    def group(self, name: str, *members: str, for_everyone: bool = False) -> str:
        """Make a group of these people, and return its id."""
        group = Group(id=new_id(), name=name, for_everyone=for_everyone)
        people = [GroupMember(group_id=group.id, user_id=self.viewers[m].id) for m in members]
        self.add(group, *people)
        return str(group.id)

    def collection(self, owner: str, *videos: str, title: str = "Holidays") -> str:
        """Make a collection of these videos, and return its id."""
        made = Collection(id=new_id(), owner_id=self.viewers[owner].id, title=title)
        items = [
            CollectionItem(collection_id=made.id, video_id=video, place=place)
            for place, video in enumerate(videos)
        ]
        self.add(made, *items)
        return str(made.id)

    def count_queries(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> int:
        """Return how many statements the streaming service sends to its database meanwhile."""
        engine = self.services.stores.database.engine
        statements: list[str] = []

        def note(*arguments: Any) -> None:
            statements.append(arguments[2])

        event.listen(engine, "before_cursor_execute", note)
        try:
            work(*args, **kwargs)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return len(statements)

    def change(self, table: type[Base], identity: Any, **fields: Any) -> None:
        """Change a row, as another service would."""

        def work(session: Session) -> None:
            row = session.get_one(table, identity)
            for name, value in fields.items():
                setattr(row, name, value)

        self.database.write(work)

    def publish(self, video_id: str, height: int) -> None:
        """Give a video an HLS rendition."""
        rendition = Rendition(
            video_id=video_id,
            name=f"{height}p",
            kind=RenditionKind.VIDEO,
            codecs="avc1.64001f",
            bandwidth=1_000_000,
            average_bandwidth=800_000,
            size=1000,
            width=height * 16 // 9,
            height=height,
            frame_rate=25.0,
        )
        self.add(rendition)

    def video(self, video_id: str) -> Video:
        """Return a video's row as it is now."""
        found = self.database.read(lambda session: session.get(Video, video_id))
        assert found is not None
        return found


@pytest.fixture(autouse=True)
def steady_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the site's settings once they are read, so that statements can be counted."""
    monkeypatch.setattr(site_settings, "_MAX_AGE", 3600.0)


@pytest.fixture
def house(site: Site, database: Database, redis: Redis) -> House:
    """The site with its people and videos."""
    return House(site, database, redis)


@pytest.fixture
def alice(house: House) -> Client:
    """Alice, who owns."""
    return house.join("alice")


@pytest.fixture
def bob(house: House) -> Client:
    """Bob, who must not see."""
    return house.join("bob")


@pytest.fixture
def charlie(house: House) -> Client:
    """Charlie, a third, who looks after the accounts."""
    return house.join("charlie", Role.ADMIN)


@pytest.fixture
def nobody(house: House) -> Client:
    """A browser that is signed out."""
    return house.browser()


@pytest.fixture
def put(house: House, alice: Client) -> Put:
    """Put a video of Alice's, unless another owner is given; return its id."""
    return house.put
