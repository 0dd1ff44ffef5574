"""The cache of what decides on access to a video: owner, visibility and downloads, in Redis.

The database is the truth. A reader that finds no entry takes a lease, reads the database, and fills
the cache only if it still holds the lease. A writer removes entry and lease after its commit, so a
slow reader cannot store the old value.

While a change is under way the entry is a marker, which no reader overwrites. If Redis fails
between the commit and the removal, the marker stays until it expires, so that no old value is used.
A change that fails leaves the marker too, since a commit whose answer was lost may have happened.

    video:<id>         {"owner": 7, "visibility": "private", "downloadable": false,
                       "playable": true}; or "gone" (deleted or rejected: nobody gets its bytes);
                       or "changing"
    video-lease:<id>   the token of the reader that may fill the entry
"""

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from redis import Redis
from redis.exceptions import RedisError

from common.access import VideoAccess
from db.models import Visibility

_ENTRY_TTL = 60  # seconds; a limit on how long a fault could keep an old value
_LEASE_TTL = 5
_CHANGING_TTL = 10  # seconds; longer than any transaction may take
_CHANGING, _GONE = "changing", "gone"

_FILL = """
if redis.call('GET', KEYS[2]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3], 'NX')
  redis.call('DEL', KEYS[2])
end
"""


def video_key(video_id: str) -> str:
    """Return the Redis key of a video's entry."""
    return f"video:{video_id}"


def _lease_key(video_id: str) -> str:
    return f"video-lease:{video_id}"


class VideoCache:
    """A read-through cache of the database, which every change invalidates."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._fill = redis.register_script(_FILL)

    def resolve(
        self, video_id: str, entry: str | None, load: Callable[[str], VideoAccess | None]
    ) -> VideoAccess | None:
        """Return what decides on a video, or None if there is no such video.

        :param entry: the value of :func:`video_key`; the caller fetches it along with other keys.
        :param load: reads it from the database.
        """
        if entry == _CHANGING:
            return load(video_id)
        if entry is not None:
            return _decode(entry)
        lease = secrets.token_hex(8)
        leased = self._redis.set(_lease_key(video_id), lease, nx=True, ex=_LEASE_TTL)
        access = load(video_id)
        if leased:
            keys = [video_key(video_id), _lease_key(video_id)]
            self._fill(keys=keys, args=[lease, _encode(access), _ENTRY_TTL])
        return access

    @contextmanager
    def changing(self, video_ids: Sequence[str]) -> Iterator[None]:
        """Replace entries by markers while the database changes; commit inside the `with` block.

        :raises redis.exceptions.RedisError: before the change, which then must not happen.
        """
        if not video_ids:
            yield
            return
        with self._redis.pipeline(transaction=True) as pipe:
            for video_id in video_ids:
                pipe.set(video_key(video_id), _CHANGING, ex=_CHANGING_TTL)
                pipe.delete(_lease_key(video_id))
            pipe.execute()
        yield
        # If Redis fails here, readers find the markers and use the database until these expire.
        with suppress(RedisError):
            keys = [key for i in video_ids for key in (video_key(i), _lease_key(i))]
            self._redis.delete(*keys)


def _encode(access: VideoAccess | None) -> str:
    if access is None:
        return _GONE
    fields = {"owner": access.owner_id, "visibility": access.visibility.value}
    return json.dumps(fields | {"downloadable": access.downloadable, "playable": access.playable})


def _decode(entry: str) -> VideoAccess | None:
    if entry == _GONE:
        return None
    fields = json.loads(entry)
    return VideoAccess(
        owner_id=fields["owner"],
        visibility=Visibility(fields["visibility"]),
        # Entries of an older version lack both; they expire within a minute.
        downloadable=fields.get("downloadable", False),
        playable=fields.get("playable", True),
    )
