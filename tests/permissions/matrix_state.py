"""The people and videos of the matrix, in one process, where they are put back in milliseconds."""

import json
import os
import shutil
from collections.abc import Mapping
from datetime import timedelta
from io import BytesIO
from typing import Any

from argon2.profiles import CHEAPEST
from redis import Redis
from sqlalchemy import insert, select
from werkzeug.test import Client, TestResponse

from common.access import Viewer
from common.passwords import Passwords
from common.stores.sessions import SessionStore, token_hash
from common.web.auth import SESSION_COOKIE
from db.engine import Database
from db.models import (
    Base,
    Caption,
    Collection,
    CollectionItem,
    Grant,
    Group,
    GroupMember,
    GroupRole,
    Invitation,
    Job,
    JobKind,
    JobState,
    Level,
    Link,
    Logo,
    PasswordLink,
    Role,
    Setting,
    User,
    Video,
    Visibility,
    now,
)
from tests import media
from tests.conftest import Site
from tests.permissions.kept_stores import KeptStores
from tests.permissions.matrix import (
    ALIVE,
    CAPTIONS,
    FORMS,
    JSON,
    PASSWORD,
    Caller,
    Cell,
    Route,
    State,
    fields_of,
)

VIDEO_BYTES = media.mp4()
TITLE = "Seen by those who may watch"

LINK, LINK_TOKEN = "link".ljust(22, "0"), "token".ljust(43, "0")
INVITATION, INVITATION_TOKEN = "invitation".ljust(22, "0"), "invite".ljust(43, "0")
PASSWORD_TOKEN = "password".ljust(43, "0")
LOGO = "c0ffee".ljust(64, "0")

_HASH = Passwords(CHEAPEST).hash(PASSWORD)
_ROLES = {
    "target": Role.UPLOADER,
    "disabled": Role.UPLOADER,
    "viewer": Role.VIEWER,
    "stranger": Role.UPLOADER,
    "owner": Role.UPLOADER,
    "administrator": Role.ADMIN,
    "second": Role.ADMIN,  # so that the other one may go
}
_NAMES = {
    Caller.VIEWER: "viewer",
    Caller.STRANGER: "stranger",
    Caller.OWNER: "owner",
    Caller.BEARER: "owner",
    Caller.ADMINISTRATOR: "administrator",
    Caller.DISABLED: "disabled",
}

_PLACES = (
    "original.mp4", "poster.jpg", "storyboard.jpg", "storyboard.vtt", "hls/master.m3u8",
    "hls/480p.m3u8", "hls/480p.mp4",
)  # fmt: skip

# The owner's: one with what can be watched, and an empty one.
_COLLECTION = "collection".ljust(22, "0")
_EMPTY_COLLECTION = "empty-collection".ljust(22, "0")
_GROUP = "group".ljust(22, "0")

_TABLES = [table.name for table in Base.metadata.sorted_tables]

Dump = dict[str, list[Any]]


class MatrixState:
    """The site with everybody in it. Each person has two sessions, and the owners every video.

    :param site: a site with empty stores.
    """

    def __init__(self, site: Site, database: Database, redis: Redis) -> None:
        self.site = site
        self._sessions = SessionStore(redis, ttl=3600)
        self._outside = Client(site.wsgi, use_cookies=False)
        self._count = 0
        database.write(self._fill)
        self._put_files()
        self._sign_in()
        self._stores = KeptStores(database, redis)
        self._rows: Dump = {}
        self.beginning = self.dump()

    def close(self) -> None:
        """Close the connections to the stores."""
        self._stores.close()

    def rebuild(self) -> None:
        """Put everything back to the beginning."""
        self._count += 1
        self._stores.put_back()
        self._put_files()
        self._rows = {name: self.beginning[name] for name in _TABLES}

    def _put_files(self) -> None:
        for folder in self.site.videos_dir.iterdir():
            if folder.name not in self._videos:
                shutil.rmtree(folder)
        for video in self._videos:
            folder = self.site.videos_dir / video
            folder.mkdir(exist_ok=True)
            for place in _PLACES:
                if not (folder / place).exists():
                    (folder / place).parent.mkdir(exist_ok=True)
                    (folder / place).write_bytes(VIDEO_BYTES)

    def _sign_in(self) -> None:
        """Begin everybody's sessions, and let the administrator disable one of them."""
        for person in [name for name in _ROLES if name != "second"]:
            viewer = Viewer(id=self._ids[person], name=person, role=_ROLES[person])
            self._other_sessions[person] = self._begin(viewer)
            self._tokens[person] = self._begin(viewer)
        disabling, form = f"/admin/users/{self._ids['disabled']}", {"state": "disabled"}
        answer = self._outside.post(
            disabling, data=form, headers=self.credentials(Caller.ADMINISTRATOR)
        )
        assert answer.status_code == 303, answer.text[-1500:]

    def _begin(self, viewer: Viewer) -> str:
        return self._sessions.begin(viewer, device="Test", address="127.0.0.1")

    def _fill(self, session: Any) -> None:
        users = [
            {"name": name, "name_key": name, "password_hash": _HASH, "role": role}
            | {"last_seen_at": now() + timedelta(days=1)}  # so that reading does not note it
            for name, role in _ROLES.items()
        ]
        session.execute(insert(User), users)
        self._ids = {name: user_id for user_id, name in session.execute(select(User.id, User.name))}
        self._tokens: dict[str, str] = {}
        self._other_sessions: dict[str, str] = {}
        videos = [
            self._video(owner, state)
            for owner in ("owner", "disabled")
            for state in State
            if state is not State.MISSING
        ]
        session.execute(insert(Video), videos)
        self._videos = {video["id"] for video in videos}
        # Each has captions to read and remove, and a step that failed, to be tried again.
        tracks = {"language": "en", "label": "English", "body": CAPTIONS}
        session.execute(insert(Caption), [{"video_id": i} | tracks for i in self._videos])
        self._collect(session)
        session.execute(insert(Link), [self._link()])
        self._administrate(session)
        self._share(session)
        failed = {"kind": JobKind.RENDITION, "height": 720, "state": JobState.FAILED, "attempts": 3}
        session.execute(insert(Job), [{"video_id": i} | failed for i in self._videos])
        private = Job.video_id == video_id("owner", State.PRIVATE)
        self._step = session.scalars(select(Job.id).where(private)).one()

    def _collect(self, session: Any) -> None:
        """Fill the owner's collection; the last in it is somebody else's, so that all can move."""
        kept = [{"id": i, "title": TITLE} for i in (_COLLECTION, _EMPTY_COLLECTION)]
        session.execute(insert(Collection), [c | {"owner_id": self._ids["owner"]} for c in kept])
        items = [video_id("owner", state) for state in ALIVE]
        items.append(video_id("disabled", State.PUBLIC))
        rows = [
            {"collection_id": _COLLECTION, "video_id": item, "place": place}
            for place, item in enumerate(items)
        ]
        session.execute(insert(CollectionItem), rows)

    def _administrate(self, session: Any) -> None:
        """Let an administrator invite people, and change what the requests change back."""
        maker = {"created_by_id": self._ids["administrator"]}
        invitation = {"id": INVITATION, "token_hash": token_hash(INVITATION_TOKEN)}
        session.execute(insert(Invitation), [invitation | {"role": Role.VIEWER} | maker])
        link = {"user_id": self._ids["target"], "token_hash": token_hash(PASSWORD_TOKEN)}
        later = {"expires_at": now() + timedelta(hours=1)}
        session.execute(insert(PasswordLink), [link | later | maker])
        session.execute(insert(Logo), [{"sha256": LOGO, "content": b"PNG"}])
        changed = {"bin_days": 31, "name": "Elsewhere", "new_role": "viewer", "logo": LOGO}
        rows = [{"key": key, "value": json.dumps(value)} for key, value in changed.items()]
        session.execute(insert(Setting), rows)

    def _share(self, session: Any) -> None:
        """Share each video with the target. The owner has a group of three."""
        target = self._ids["target"]
        shared = [
            {
                "id": grant_id(person, state),
                "video_id": video_id(person, state),
                "user_id": target,
                "level": Level.WATCH,
            }
            for person in ("owner", "disabled")
            for state in State
            if state is not State.MISSING
        ]
        session.execute(insert(Grant), shared)
        session.execute(insert(Group), [{"id": _GROUP, "name": "Friends"}])
        roles = {"owner": GroupRole.MANAGER, "second": GroupRole.MANAGER}
        members = [
            {"group_id": _GROUP, "user_id": self._ids[name], "role": role}
            for name, role in {**roles, "target": GroupRole.MEMBER}.items()
        ]
        session.execute(insert(GroupMember), members)

    def _video(self, owner: str, state: State) -> dict[str, Any]:
        return {
            "id": video_id(owner, state),
            "owner_id": None if state is State.OWNER_GONE else self._ids[owner],
            "visibility": Visibility(state.value) if state in ALIVE else Visibility.PUBLIC,
            "binned_at": now() if state is State.BINNED else None,
            "deleted_at": now() if state is State.DELETED else None,
            "title": TITLE,
            "description": TITLE,
            "size": len(VIDEO_BYTES),
            "duration_ms": 2000,
            "width": 640,
            "height": 360,
            "video_codec": "avc1.64001f",
        }

    def _link(self) -> dict[str, Any]:
        return {
            "id": LINK,
            "token_hash": token_hash(LINK_TOKEN),
            "video_id": video_id("owner", State.PRIVATE),
            "created_by_id": self._ids["owner"],
            "expires_at": now() + timedelta(days=30),
        }

    def dump(self) -> Dump:
        """Return all that a request could change: rows, sessions and who has them, and files."""
        found = dict(self._read_rows())
        found["sessions"] = self._stores.sessions()
        found["files"] = sorted(
            f"{folder}/{name}"
            for folder, _, names in os.walk(self.site.videos_dir)
            for name in names
        )
        return found

    def _read_rows(self) -> Dump:
        """Return every row, read again only if something was committed since the last look."""
        if self._stores.rows_changed() or not self._rows:
            self._rows = {
                table: sorted(map(repr, self._stores.rows.execute(f"SELECT * FROM {table}")))
                for table in _TABLES
            }
        return self._rows

    def credentials(self, caller: Caller) -> dict[str, str]:
        """Return the headers that say who is calling."""
        if caller is Caller.NOBODY:
            return {}
        token = self.token(caller)
        if caller is Caller.BEARER:
            return {"Authorization": f"Bearer {token}"}
        return {"Cookie": f"{SESSION_COOKIE}={token}"}

    def token(self, caller: Caller) -> str:
        """Return the token that somebody was given when they signed in."""
        return self._tokens[_NAMES[caller]]

    def path(self, cell: Cell) -> str:
        """Return a cell's address; who was disabled asks for videos of their own."""
        route, caller, state = cell.route, cell.caller, cell.state
        owner = "disabled" if caller is Caller.DISABLED else "owner"
        return (
            route.pattern.replace("<video>", video_id(owner, state) if state else "")
            .replace("<user>", str(self._ids[route.subject]))
            .replace("<language>", "en")
            .replace("<rendition>", "480p")
            .replace("<link>", LINK)
            .replace("<token>", LINK_TOKEN)
            .replace("<invitation>", INVITATION)
            .replace("<invitation_token>", INVITATION_TOKEN)
            .replace("<password_token>", PASSWORD_TOKEN)
            .replace("<sha256>", LOGO)
            .replace("<job>", str(self._step))
            .replace("<collection>", _EMPTY_COLLECTION if cell.is_adding else _COLLECTION)
            .replace("<grant>", grant_id(owner, state or State.PRIVATE))
            .replace("<group>", _GROUP)
            .replace("<name>", "target")
            .replace("<session>", token_hash(self._other_sessions["owner"]))
        )

    def send(self, cell: Cell, client: Client | None = None) -> TestResponse:
        """Send a request of the matrix, from outside unless a service's own client is given."""
        headers: Mapping[str, str] = {**self.credentials(cell.caller), **cell.site}
        options: dict[str, Any] = {} if cell.is_safe else self._body(cell.route)
        return (client or self._outside).open(
            self.path(cell),
            method=cell.method,
            headers=headers,
            buffered=True,
            **options,
        )

    def _body(self, route: Route) -> dict[str, Any]:
        if route.pattern in ("/upload", "/upload/share"):
            return {"data": {"title": "A video", "file": (BytesIO(VIDEO_BYTES), "video.mp4")}}
        if route.pattern == "/admin/settings/logo":
            return {"data": {"logo": (BytesIO(b""), "")}}
        if route.pattern == "/stream/<video>/captions":
            file = (BytesIO(CAPTIONS.encode()), "video.vtt")
            return {"data": fields_of(FORMS, route) | {"file": file}}
        friend = "viewer" if route.pattern.startswith("/groups/") else "second"
        names = {
            "new": f"newcomer-{self._count}",
            "target": "target",
            "friend": friend,
            "video": video_id("owner", State.PRIVATE),
        }
        if fields := fields_of(JSON, route, **names):
            return {"json": fields}
        fields = fields_of(FORMS, route, **names)
        return {"data": fields} if fields else {}


def video_id(owner: str, state: State) -> str:
    """Return the id of somebody's video of a state: always the same, so that its file can stay."""
    return f"{owner}-{state.value.replace(' ', '-')}".ljust(22, "0")


def grant_id(owner: str, state: State) -> str:
    """Return the id of the grant of somebody's video of a state to the target."""
    return f"g{video_id(owner, state)}"[:22]
