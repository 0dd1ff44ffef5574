"""Every sharing of the matrix at once, in one process: each has a video, and rows, of its own.

The rows are put into the database as they are when a link or grant has been made, has expired, or
was revoked, so that no time has to pass.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from redis import Redis
from sqlalchemy import insert
from sqlalchemy.orm import Session
from werkzeug.test import Client, TestResponse

from common.access import Viewer
from common.stores.sessions import SessionStore, token_hash
from common.stores.visits import visit_key
from common.web.auth import SESSION_COOKIE, VISIT_COOKIE
from db.engine import Database
from db.models import (
    Base,
    Caption,
    Collection,
    CollectionItem,
    Grant,
    Group,
    GroupMember,
    Job,
    JobKind,
    JobState,
    Link,
    LinkVisit,
    Role,
    User,
    Video,
    now,
)
from db.models import Level as StoredLevel
from tests.conftest import Site
from tests.permissions.kept_stores import KeptStores
from tests.permissions.matrix import CAPTIONS, Route, fields_of
from tests.permissions.matrix_state import TITLE, VIDEO_BYTES
from tests.permissions.sharing_matrix import (
    FORMS,
    JSON,
    SHARINGS,
    Asker,
    SharedCell,
    Sharing,
    Validity,
    Way,
)

_PLACES = (
    "original.mp4", "poster.jpg", "storyboard.jpg", "storyboard.vtt", "hls/master.m3u8",
    "hls/480p.m3u8", "hls/480p.mp4",
)  # fmt: skip

OWNER, NAMED, MEMBER, OTHER, FRIEND = "owner", "named", "member", "other", "friend"
_PEOPLE = {name: number for number, name in enumerate((OWNER, NAMED, MEMBER, OTHER, FRIEND), 1)}
_GROUP = "group".ljust(22, "0")
_OTHERS = "others".ljust(22, "0")  # a group of those with whom nothing is shared


def video_of(sharing: Sharing) -> str:
    """Return the id of the video of a sharing."""
    return _id("video", sharing)


def _id(kind: str, sharing: Sharing) -> str:
    return f"{kind}-{SHARINGS.index(sharing)}-".ljust(22, "x")


def _token(kind: str, sharing: Sharing) -> str:
    return f"{kind}-{SHARINGS.index(sharing)}-".ljust(43, "x")


class SharingState:
    """The site with an owner, with whom they share, and with others.

    :param site: a site with empty stores.
    """

    def __init__(self, site: Site, database: Database, redis: Redis) -> None:
        self.site = site
        self._outside = Client(site.wsgi, use_cookies=False)
        database.write(self._fill)
        for sharing in SHARINGS:
            folder = site.videos_dir / video_of(sharing)
            for place in _PLACES:
                (folder / place).parent.mkdir(parents=True, exist_ok=True)
                (folder / place).write_bytes(VIDEO_BYTES)
        sessions = SessionStore(redis, ttl=3600)
        self._tokens = {
            name: sessions.begin(
                Viewer(number, name, Role.UPLOADER), device="Test", address="127.0.0.1"
            )
            for name, number in _PEOPLE.items()
        }
        # A visit of a link that was revoked is still in the cache, as that of any other.
        for sharing in SHARINGS:
            if sharing.way.is_link:
                redis.set(visit_key(_token("visit", sharing)), _id("link", sharing))
        self._stores = KeptStores(database, redis)

    def close(self) -> None:
        """Close the connections to the stores."""
        self._stores.close()

    def was_changed(self) -> bool:
        """Tell whether anything but what is cached has been committed since the last look."""
        return self._stores.rows_changed()

    def put_back(self) -> None:
        """Put everything back to the beginning."""
        self._stores.put_back()

    # --- rows -------------------------------------------------------------------------------------

    def _fill(self, session: Session) -> None:
        users = [
            {"id": number, "name": name, "name_key": name, "password_hash": "-"}
            | {"last_seen_at": now() + timedelta(days=1)}  # so that reading does not note it
            for name, number in _PEOPLE.items()
        ]
        session.execute(insert(User), [user | {"role": Role.UPLOADER} for user in users])
        for group, member in ((_GROUP, MEMBER), (_OTHERS, OTHER)):
            session.execute(insert(Group), [{"id": group, "name": group}])
            members = {"group_id": group, "user_id": _PEOPLE[member]}
            session.execute(insert(GroupMember), [members])
        rows: dict[type[Base], list[dict[str, Any]]] = {}
        for sharing in SHARINGS:
            _share(sharing, lambda table, **row: rows.setdefault(table, []).append(row))
        for table in (Video, Caption, Job, Collection, CollectionItem, Grant, Link, LinkVisit):
            session.execute(insert(table), rows[table])

    # --- requests ---------------------------------------------------------------------------------

    def credentials(self, asker: Asker, sharing: Sharing) -> dict[str, str]:
        """Return the cookies of somebody's browser."""
        cookies = []
        is_group = sharing.way in (Way.GROUP, Way.COLLECTION_GROUP)
        person = {
            Asker.NAMED: MEMBER if is_group else NAMED,
            Asker.VISITOR_WITH_ACCOUNT: OTHER,
            Asker.OTHER: OTHER,
        }.get(asker)
        if person is not None:
            cookies.append(f"{SESSION_COOKIE}={self._tokens[person]}")
        if asker in (Asker.VISITOR, Asker.VISITOR_WITH_ACCOUNT):
            cookies.append(f"{VISIT_COOKIE}={_token('visit', sharing)}")
        return {"Cookie": "; ".join(cookies)} if cookies else {}

    def request(
        self, method: str, path: str, asker: Asker, sharing: Sharing, **options: Any
    ) -> TestResponse:
        """Send a request from outside that is none of the matrix."""
        headers = self.credentials(asker, sharing) | {"Sec-Fetch-Site": "same-origin"}
        return self._outside.open(path, method=method, headers=headers, **options)

    def send(self, cell: SharedCell) -> TestResponse:
        """Send a request of the matrix, from outside."""
        options = {} if cell.is_safe else _body(cell.route, video_of(cell.sharing))
        return self.request(
            cell.method, self.path(cell), cell.asker, cell.sharing, buffered=True, **options
        )

    def path(self, cell: SharedCell) -> str:
        """Return a cell's address."""
        return (
            cell.route.pattern.replace("<video>", video_of(cell.sharing))
            .replace("<collection>", _id("collection", cell.sharing))
            .replace("<grant>", _id("friend", cell.sharing))
            .replace("<language>", "en")
            .replace("<rendition>", "480p")
        )

    def link_path(self, sharing: Sharing) -> str:
        """Return the address of the link of a sharing."""
        return f"/s/{_token('token', sharing)}"


def _share(sharing: Sharing, add: Callable[..., None]) -> None:
    """Add the rows of a sharing. Its collection has the video, whether or not that is the way."""
    video, collection = video_of(sharing), _id("collection", sharing)
    is_binned = sharing.validity is Validity.BINNED
    add(
        Video,
        id=video,
        owner_id=_PEOPLE[OWNER],
        title=TITLE,
        description=TITLE,
        size=len(VIDEO_BYTES),
        duration_ms=2000,
        width=640,
        height=360,
        video_codec="avc1.64001f",
        binned_at=now() if is_binned else None,
    )
    add(Caption, video_id=video, language="en", label="English", body=CAPTIONS)
    # A step that failed, to be tried again.
    add(Job, video_id=video, kind=JobKind.RENDITION, height=720, state=JobState.FAILED, attempts=3)
    add(Collection, id=collection, owner_id=_PEOPLE[OWNER], title=TITLE)
    add(CollectionItem, collection_id=collection, video_id=video, place=0)
    # It is shared with one more, so that there is a grant to change.
    friend = {"id": _id("friend", sharing), "user_id": _PEOPLE[FRIEND], "group_id": None}
    add(Grant, **friend, level=StoredLevel.WATCH, video_id=video, collection_id=None)
    if sharing.validity is Validity.REVOKED:
        return
    has_collection = sharing.way.has_collection
    row = {
        "video_id": None if has_collection else video,
        "collection_id": collection if has_collection else None,
        "level": StoredLevel(sharing.level.name.lower()),
        "expires_at": _expiry(sharing.validity),
    }
    if sharing.way.is_link:
        link, is_used_up = _id("link", sharing), sharing.validity is Validity.USED_UP
        hashed = token_hash(_token("token", sharing))
        views = {"max_views": 1 if is_used_up else None, "view_count": 1}
        add(Link, **row, **views, id=link, token_hash=hashed, created_by_id=_PEOPLE[OWNER])
        add(LinkVisit, token_hash=token_hash(_token("visit", sharing)), link_id=link)
        return
    is_group = sharing.way in (Way.GROUP, Way.COLLECTION_GROUP)
    add(
        Grant,
        **row,
        id=_id("grant", sharing),
        user_id=None if is_group else _PEOPLE[NAMED],
        group_id=_GROUP if is_group else None,
        granted_by_id=_PEOPLE[OWNER],
    )


def _expiry(validity: Validity) -> datetime | None:
    age = {Validity.ENDS_LATER: timedelta(days=1), Validity.EXPIRED: timedelta(seconds=-1)}
    return now() + age[validity] if validity in age else None


def _body(route: Route, video: str) -> dict[str, Any]:
    if route.pattern == "/stream/<video>/captions":
        file = (BytesIO(CAPTIONS.encode()), "video.vtt")
        return {"data": fields_of(FORMS, route) | {"file": file}}
    names = {"video": video, "friend": OTHER}
    if fields := fields_of(JSON, route, **names):
        return {"json": fields}
    return {"data": fields_of(FORMS, route, **names)}
