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
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Generic, TypeVar

from redis import Redis
from redis.exceptions import RedisError

from db import native_threads

T = TypeVar("T")

_ENTRY_TTL = 60  # seconds; a limit on how long a fault could keep an old value
_LEASE_TTL = 5
_CHANGING_TTL = 10  # seconds; longer than any transaction may take
_CHANGING = "changing"

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

    def _replace(self, entry_ids: set[str]) -> None:
        """Put markers in place of entries."""
        with self._redis.pipeline(transaction=True) as pipe:
            for entry_id in entry_ids:
                pipe.set(self.key(entry_id), _CHANGING, ex=_CHANGING_TTL)
                pipe.delete(self._lease_key(entry_id))
            pipe.execute()

    @contextmanager
    def changing(self, entry_ids: Iterable[str] = ()) -> Iterator[Callable[[Iterable[str]], None]]:
        """Replace entries by markers while the database changes; commit inside the `with` block.

        Yields a function that does the same for further entries. A transaction calls it for those
        that it finds out while it holds the locks that keep others from joining them.

        :raises redis.exceptions.RedisError: before the change, which then must not happen.
        """
        marked: set[str] = set()

        def mark(ids: Iterable[str]) -> None:
            wanted = set(ids)
            if not wanted:
                return
            marked.update(wanted)
            # A transaction calls this too, and may run in a native thread.
            native_threads.run_on_network(partial(self._replace, wanted))

        mark(entry_ids)
        yield mark
        if not marked:
            return
        # If Redis fails here, readers find the markers and use the database until these expire.
        with suppress(RedisError):
            self._redis.delete(*(key for i in marked for key in (self.key(i), self._lease_key(i))))
