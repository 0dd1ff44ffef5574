"""Sessions in Redis.

A session is JSON under a hash of the cookie's token, so that somebody who reads the keys cannot
sign in with them. It is a plain string: the media authorisation fetches it together with the
video's access entry in one `MGET`. What the account page lists (device, address, last use) is a
field of one hash per user.

    session:<hash>          {"user": 7, "name": "alice", "role": "admin"}      expires
    sessions:<user>         <hash> -> {"device", "address", "created", "seen"}
"""

import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from redis import Redis

from common.access import Viewer
from db.models import Role

_TOKEN_LIMIT = 100  # characters; ours have 43
_TOUCH_EVERY = 60  # seconds, or a quarter of a session's lifetime if that is less
_MAX_SESSIONS = 100  # of one account
_REMEMBERED = 10_000  # sessions of which a process remembers when it last extended them


def token_hash(token: str) -> str:
    """Return the hash of a token. Tokens have 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def session_key(token: str) -> str:
    """Return the Redis key of the session that a token opens."""
    return f"session:{token_hash(token)}"


def viewer_of(value: str | None) -> Viewer | None:
    """Read the value of a session's key; None if there is no such session."""
    if value is None:
        return None
    fields = json.loads(value)
    return Viewer(
        id=fields["user"],
        name=fields["name"],
        role=Role(fields["role"]),
        language=fields.get("language"),
    )


@dataclass(frozen=True)
class SessionSummary:
    """A session as its owner sees it in a list. Nobody can sign in with its `id`."""

    id: str
    device: str
    address: str
    created: datetime
    seen: datetime
    current: bool


class SessionStore:
    """Begins, finds, lists and ends sessions.

    Every method raises `redis.exceptions.RedisError` if Redis does not answer. Callers let it pass,
    so that the answer is 503: access is denied.

    :param ttl: seconds after its last use until a session ends.
    """

    def __init__(self, redis: Redis, *, ttl: int) -> None:
        self._redis = redis
        self.ttl = ttl
        self._touch_every = min(_TOUCH_EVERY, ttl / 4)
        self._kept: dict[str, float] = {}

    def begin(self, viewer: Viewer, *, device: str, address: str) -> str:
        """Begin a session and return a new token; a token is never taken from the client.

        An account has at most 100 sessions: one more ends the one that was used longest ago.
        """
        token = secrets.token_urlsafe(32)
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(session_key(token), _session_json(viewer), ex=self.ttl)
            moment = _moment()
            listed = {"device": device, "address": address, "created": moment, "seen": moment}
            pipe.hset(_list_key(viewer.id), token_hash(token), json.dumps(listed))
            pipe.execute()
        self._end_surplus(viewer.id, new=token_hash(token))
        return token

    def _end_surplus(self, user_id: int, *, new: str) -> None:
        listed = self._live_sessions(user_id)
        if len(listed) > _MAX_SESSIONS:
            listed.pop(new, None)
            oldest_first = sorted(listed, key=lambda session_id: listed[session_id]["seen"])
            for session_id in oldest_first[: len(listed) + 1 - _MAX_SESSIONS]:
                self._drop(user_id, session_id)

    def find(self, token: str | None) -> Viewer | None:
        """Return whose session a token is, or None; one that cannot be ours is not looked up."""
        if not token or len(token) > _TOKEN_LIMIT:
            return None
        value = self._redis.get(session_key(token))
        return viewer_of(value if isinstance(value, str) else None)

    def extend(self, token: str, viewer: Viewer) -> None:
        """Extend a session that is used for media, so that it does not end during a video.

        There are thousands of such requests, so each process does so at most once a minute.
        """
        moment = time.monotonic()
        if moment < self._kept.get(token, 0.0):
            return
        if len(self._kept) >= _REMEMBERED:
            self._kept.clear()
        self._kept[token] = moment + self._touch_every
        self.record_use(token, viewer)

    def record_use(self, token: str, viewer: Viewer, *, address: str | None = None) -> None:
        """Record that a session was used, at most once a minute, and extend it.

        :param address: where it was used; None, for a media request, keeps the last one.
        """
        listed = self._redis.hget(_list_key(viewer.id), token_hash(token))
        if not isinstance(listed, str):
            return
        fields = json.loads(listed)
        idle = datetime.now(UTC) - datetime.fromisoformat(fields["seen"])
        known = fields["address"]
        if idle < timedelta(seconds=self._touch_every) and address in (None, known):
            return
        fields |= {"address": address or known, "seen": _moment()}
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.expire(session_key(token), self.ttl)
            pipe.hset(_list_key(viewer.id), token_hash(token), json.dumps(fields))
            pipe.execute()

    def summaries(self, user_id: int, *, current: str | None) -> list[SessionSummary]:
        """Return a user's live sessions, the last used first."""
        here = token_hash(current) if current else None
        found = [
            SessionSummary(
                id=session_id,
                device=fields["device"],
                address=fields["address"],
                created=datetime.fromisoformat(fields["created"]),
                seen=datetime.fromisoformat(fields["seen"]),
                current=session_id == here,
            )
            for session_id, fields in self._live_sessions(user_id).items()
        ]
        return sorted(found, key=lambda summary: summary.seen, reverse=True)

    def end(self, token: str | None) -> None:
        """End the session of a token, if it has one."""
        viewer = self.find(token)
        if token and viewer:
            self._drop(viewer.id, token_hash(token))

    def end_listed(self, user_id: int, session_id: str) -> bool:
        """End one of a user's sessions by its id in the list; tell whether there was one."""
        if not self._redis.hexists(_list_key(user_id), session_id):
            return False
        self._drop(user_id, session_id)
        return True

    def _drop(self, user_id: int, session_id: str) -> None:
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(f"session:{session_id}")
            pipe.hdel(_list_key(user_id), session_id)
            pipe.execute()

    def end_all(self, user_id: int, *, but: str | None = None) -> None:
        """End every session of a user, except the one that a token opens."""
        spared = token_hash(but) if but else None
        for session_id in self._listed(user_id):
            if session_id != spared:
                self.end_listed(user_id, session_id)

    def change_role(self, viewer: Viewer) -> None:
        """Give a user's sessions the role, name and language that the account has now."""
        for session_id in self._listed(viewer.id):
            self._redis.set(f"session:{session_id}", _session_json(viewer), xx=True, keepttl=True)

    def ping(self) -> None:
        """Check that Redis answers."""
        self._redis.ping()

    def _listed(self, user_id: int) -> dict[str, dict[str, str]]:
        found = self._redis.hgetall(_list_key(user_id))
        return {str(key): json.loads(value) for key, value in found.items()}

    def _live_sessions(self, user_id: int) -> dict[str, dict[str, str]]:
        """Return the list of a user's live sessions, and remove expired ones from it.

        The list itself does not expire. If it expired before its sessions, as when SESSION_TTL is
        made shorter, ending all sessions would miss some.
        """
        listed = self._listed(user_id)
        with self._redis.pipeline(transaction=False) as pipe:
            for session_id in listed:
                pipe.exists(f"session:{session_id}")
            alive = dict(zip(listed, pipe.execute(), strict=True))
        if ended := [session_id for session_id in listed if not alive[session_id]]:
            self._redis.hdel(_list_key(user_id), *ended)
        return {session_id: listed[session_id] for session_id in listed if alive[session_id]}


def _list_key(user_id: int) -> str:
    return f"sessions:{user_id}"


def _session_json(viewer: Viewer) -> str:
    fields = {"user": viewer.id, "name": viewer.name, "role": viewer.role.value}
    return json.dumps(fields | ({"language": viewer.language} if viewer.language else {}))


def _moment() -> str:
    return datetime.now(UTC).isoformat()
