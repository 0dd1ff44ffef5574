"""Visits: which links a browser has opened.

Opening a link gives a browser a new token, and the table `link_visits` a row with its hash. The
cookie holds the tokens of the links opened last, with dots between them. A row never changes, so
its cached copy needs no invalidation: a link that is revoked is missing from the video's entry.

    visit:<hash>    the id of the link
"""

from collections.abc import Iterable, Mapping

from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from common.stores.sessions import token_hash
from db.engine import Database, transaction
from db.models import LinkVisit

MAX_VISITS = 20
"""Links that a browser remembers; it forgets the one that was opened first."""
_TTL = 3600  # seconds
_TOKEN_LIMIT = 100  # characters; ours have 43


def visit_tokens(cookie: str | None) -> list[str]:
    """Return the tokens in a cookie, the last opened first; what cannot be ours is left out."""
    if not cookie or len(cookie) > MAX_VISITS * (_TOKEN_LIMIT + 1):
        return []
    return [token for token in cookie.split(".")[:MAX_VISITS] if 0 < len(token) <= _TOKEN_LIMIT]


def visit_key(token: str) -> str:
    """Return the Redis key of a visit."""
    return f"visit:{token_hash(token)}"


class VisitStore:
    """Finds visits in Redis, and those that are not there in the database."""

    def __init__(self, redis: Redis, database: Database) -> None:
        self._redis = redis
        self._database = database

    def links(self, tokens: Iterable[str]) -> frozenset[str]:
        """Return the ids of the links that these tokens are visits of.

        :raises redis.exceptions.RedisError: Redis does not answer; access must be denied.
        """
        keys = [visit_key(token) for token in tokens]
        if not keys:
            return frozenset()
        values = (v if isinstance(v, str) else None for v in self._redis.mget(keys))
        return self.resolve(dict(zip(keys, values, strict=True)))

    def resolve(self, entries: Mapping[str, str | None]) -> frozenset[str]:
        """Return the links of visits by the values of their keys; the database knows the rest."""
        known = {value for value in entries.values() if value is not None}
        missing = [key for key, value in entries.items() if value is None]
        if missing:
            hashes = [key.removeprefix("visit:") for key in missing]
            found = _read_visits(self._database, hashes)
            for visit_hash, link_id in found.items():
                self._redis.set(f"visit:{visit_hash}", link_id, ex=_TTL)
            known.update(found.values())
        return frozenset(known)


@transaction(writes=False)
def _read_visits(session: Session, hashes: list[str]) -> dict[str, str]:
    wanted = select(LinkVisit.token_hash, LinkVisit.link_id).where(LinkVisit.token_hash.in_(hashes))
    return {row.token_hash: row.link_id for row in session.execute(wanted)}
