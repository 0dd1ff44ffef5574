"""The database and Redis as they were at the beginning, to be put back in milliseconds."""

import sqlite3
from typing import Any

from redis import Redis

from db.engine import Database

_KEPT = 1  # the number of the Redis database that holds the beginning; the site's is 0


class KeptStores:
    """What is in the stores now is the beginning.

    :ivar rows: a connection to the SQLite database. Its view tells whether another has committed.
    """

    def __init__(self, database: Database, redis: Redis) -> None:
        file = database.engine.url.database
        assert file is not None
        self.rows = sqlite3.connect(file)
        self._first_rows = sqlite3.connect(":memory:")
        self.rows.backup(self._first_rows)
        self._version = self._read_version()
        self._redis = redis
        place = redis.get_connection_kwargs()
        self._first_redis = Redis(place["host"], place["port"], _KEPT)
        self._first_redis.flushdb()
        self._keys = list(redis.keys())
        self._copy(redis, _KEPT)

    def close(self) -> None:
        """Close the connections."""
        self.rows.close()
        self._first_rows.close()
        self._first_redis.close()

    def rows_changed(self) -> bool:
        """Tell whether anybody has committed since this was asked, or all was put back."""
        before, self._version = self._version, self._read_version()
        return self._version != before

    def _read_version(self) -> int:
        [version] = self.rows.execute("PRAGMA data_version").fetchone()
        return int(version)

    def sessions(self) -> list[Any]:
        """Return all sessions, and who has them."""
        keys = sorted(map(str, self._redis.keys("session*")))
        with self._redis.pipeline(transaction=False) as pipe:
            for key in keys:
                # Of the lists only who is in them: when a session was last seen may change.
                (pipe.get if key.startswith("session:") else pipe.hkeys)(key)
            values = pipe.execute()
        return [(key, sorted(value)) for key, value in zip(keys, values, strict=True)]

    def put_back(self) -> None:
        """Put everything back to the beginning."""
        self._first_rows.backup(self.rows)
        self._version = self._read_version()
        self._redis.flushdb()
        self._copy(self._first_redis, 0)

    def _copy(self, source: Redis, target: int) -> None:
        with source.pipeline(transaction=False) as pipe:
            for key in self._keys:
                pipe.copy(key, key, destination_db=target)
            pipe.execute()
