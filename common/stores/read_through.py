"""A read-through cache of the database in Redis, which every change invalidates.

The database is the truth. A reader that finds no entry takes a lease, reads the database, and fills
the cache only if it still holds the lease. A writer removes entry and lease after its commit, so a
slow reader cannot store the old value.

While a change is under way the entry is a marker, which no reader overwrites. If Redis fails
between the commit and the removal, the marker stays until it expires, so that no old value is used.
A change that fails leaves the marker too, since a commit whose answer was lost may have happened.

    <prefix>:<id>         an entry, or "changing"
    <prefix>-lease:<id>   the token of the reader that may fill the entry
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Generic, TypeVar

from redis import Redis
from redis.exceptions import RedisError

T = TypeVar("T")
T2 = TypeVar("T2")

Mark = Callable[[Iterable[str]], None]
"""Says which entries a transaction changes: see :meth:`ReadThroughCache.change`."""

_ENTRY_TTL = 60  # seconds; a limit on how long a fault could keep an old value
_LEASE_TTL = 5
_CHANGING_TTL = 10  # seconds; longer than any transaction may take
_CHANGING = "changing"
_TRIES = 5  # while a change concerns more entries each time

_FILL = """
if redis.call('GET', KEYS[2]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3], 'NX')
  redis.call('DEL', KEYS[2])
end
"""


class ReadThroughCache(Generic[T]):
    """The entries of one kind.

    :param prefix: of the keys; the access rules of Redis name it for each service.
    :param encode: write a value as text, other than "changing".
    :param decode: read what `encode` wrote.
    """

    def __init__(
        self, redis: Redis, *, prefix: str, encode: Callable[[T], str], decode: Callable[[str], T]
    ) -> None:
        self._redis = redis
        self._prefix = prefix
        self._encode = encode
        self._decode = decode
        self._fill = redis.register_script(_FILL)

    def key(self, entry_id: str) -> str:
        """Return the Redis key of an entry."""
        return f"{self._prefix}:{entry_id}"

    def _lease_key(self, entry_id: str) -> str:
        return f"{self._prefix}-lease:{entry_id}"

    def get(self, entry_id: str, load: Callable[[str], T]) -> T:
        """Return a value: :meth:`resolve` for a key that was not fetched along with others."""
        found = self._redis.get(self.key(entry_id))
        return self.resolve(entry_id, found if isinstance(found, str) else None, load)

    def get_many(self, entry_ids: Sequence[str], load: Callable[[str], T]) -> dict[str, T]:
        """Return values by id: as :meth:`get`, with one round trip for all that have an entry."""
        if not entry_ids:
            return {}
        found = self._redis.mget([self.key(entry_id) for entry_id in entry_ids])
        return {
            entry_id: self.resolve(entry_id, entry if isinstance(entry, str) else None, load)
            for entry_id, entry in zip(entry_ids, found, strict=True)
        }

    def resolve(self, entry_id: str, entry: str | None, load: Callable[[str], T]) -> T:
        """Return the value of an entry.

        :param entry: what is at :meth:`key`; the caller fetches it along with other keys.
        :param load: reads the value from the database.
        """
        if entry == _CHANGING:
            return load(entry_id)
        if entry is not None:
            return self._decode(entry)
        lease = secrets.token_hex(8)
        leased = self._redis.set(self._lease_key(entry_id), lease, nx=True, ex=_LEASE_TTL)
        value = load(entry_id)
        if leased:
            keys = [self.key(entry_id), self._lease_key(entry_id)]
            self._fill(keys=keys, args=[lease, self._encode(value), _ENTRY_TTL])
        return value

    @contextmanager
    def changing(self, entry_ids: Iterable[str]) -> Iterator[None]:
        """Replace entries by markers while the database changes; commit inside the `with` block.

        :raises redis.exceptions.RedisError: before the change, which then must not happen.
        """
        keys = [key for i in entry_ids for key in (self.key(i), self._lease_key(i))]
        if not keys:
            yield
            return
        with self._redis.pipeline(transaction=True) as pipe:
            for entry, lease in zip(keys[::2], keys[1::2], strict=True):
                pipe.set(entry, _CHANGING, ex=_CHANGING_TTL)
                pipe.delete(lease)
            pipe.execute()
        yield
        # If Redis fails here, readers find the markers and use the database until these expire.
        with suppress(RedisError):
            self._redis.delete(*keys)

    def change(self, work: Callable[[Mark], T2]) -> T2:
        """Run a change that finds out in its transaction which entries it concerns.

        The work is given a function, and calls it in the transaction with the ids, while it holds
        the locks that keep others from joining them. Where one of the entries is not marked yet,
        that function raises, which undoes the transaction; the work is run again with markers.

        :raises redis.exceptions.RedisError: before the change, which then has not happened.
        """
        marked: frozenset[str] = frozenset()
        for _ in range(_TRIES):
            with self.changing(marked):
                try:
                    return work(partial(self._require_marked, marked))
                except NotMarked as error:
                    if error.cache is not self:  # that of a change around this one
                        raise
                    missing = error.entry_ids
            marked |= missing
        raise NotMarked(self, missing)

    def _require_marked(self, marked: frozenset[str], entry_ids: Iterable[str]) -> None:
        if missing := frozenset(entry_ids) - marked:
            raise NotMarked(self, missing)


class NotMarked(Exception):
    """A change concerns entries that are not marked yet, and must not be committed."""

    def __init__(self, cache: object, entry_ids: frozenset[str]) -> None:
        super().__init__(f"{len(entry_ids)} entries are not marked")
        self.cache = cache
        self.entry_ids = entry_ids
