"""The cache of what decides on a video: owner, visibility and downloads, in Redis.

The database is the truth. A reader that finds nothing takes a lease, reads the database, and fills
the cache only if its lease is still there; a writer removes entry and lease together after its
commit, so a reader that was slow cannot put the old value back. While a change is under way a
marker stands in the entry's place, which no reader overwrites, so that a writer whose Redis fails
between commit and removal leaves no old value behind either: the marker runs out by itself. A
change that fails leaves it too, since a commit whose answer was lost may still happen.

    video:<id>         {"owner": 7, "visibility": "private", "downloadable": false,
                       "playable": true}, "gone" (or refused, so that nobody gets its bytes), or
                       "changing"
    video-lease:<id>   the token of the reader that may fill
"""

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from redis import Redis
from redis.exceptions import RedisError

from common.access import VideoAccess
from db.models import Visibility

_ENTRY_TTL = 60  # seconds; a bound on what an unforeseen fault could keep alive
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
    """Return the Redis key under which a video's entry is kept."""
    return f"video:{video_id}"


def _lease_key(video_id: str) -> str:
    return f"video-lease:{video_id}"


class VideoCache:
    """Reads through to the database, and is told of every change."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._fill = redis.register_script(_FILL)

    def resolve(
        self, video_id: str, entry: str | None, load: Callable[[str], VideoAccess | None]
    ) -> VideoAccess | None:
        """Return what decides on a video, or None if there is no such video.

        :param entry: what :func:`video_key` held a moment ago; the caller fetches it along with
            other keys.
        :param load: reads the database.
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
        """Hold entries back while the database changes; commit inside, and they are dropped after.

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
        # Should Redis fail just now, the markers lead every reader to the database, and end.
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
        # An entry of the version before has neither; it lasts a minute.
        downloadable=fields.get("downloadable", False),
        playable=fields.get("playable", True),
    )
