"""The videos whose progress this process tells live.

Hundreds of pages may follow the same video or many. The database is read for all of them together,
at most twice a second. Who may be told is decided by the entries of Redis that decide on media.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.access import Rights, VideoAccess, Watcher, rights_of
from common.forecast import ForecastCache
from common.stores import Stores
from db.engine import Database, transaction
from db.models import Video, Visibility
from streaming_service.delivery.authorise import load_access, with_cached_groups
from streaming_service.processing.view import ProcessingFacts, read_facts

_MAX_AGE = 0.5  # seconds; each stream looks once a second
_BATCH = 500  # videos in one query


class FollowedVideos:
    """Which videos are followed, and what was last read of them.

    While one stream reads anew, the others use what was read last. Needs no lock.
    """

    def __init__(self) -> None:
        self._followed: Counter[str] = Counter()
        self._facts: dict[str, ProcessingFacts | None] = {}
        self._renew_at = 0.0

    @contextmanager
    def following(self, ids: Sequence[str]) -> Iterator[None]:
        """Follow these videos in the `with` block."""
        self._followed.update(ids)
        try:
            yield
        finally:
            self._followed.subtract(ids)
            self._followed = +self._followed

    def facts(
        self, database: Database, ids: Sequence[str], forecasts: ForecastCache
    ) -> Mapping[str, ProcessingFacts]:
        """Return what the database says of these videos, which must be followed, by id.

        It is about half a second old at most. Videos that are not there are left out.

        :raises DatabaseUnavailable: it was time to read, and the database does not answer.
        """
        if time.monotonic() >= self._renew_at:
            self._renew_at = time.monotonic() + _MAX_AGE
            self._facts = _read_all(database, list(self._followed), forecasts)
        elif missing := [video_id for video_id in ids if video_id not in self._facts]:
            found_now = _read_all(database, missing, forecasts)
            self._facts |= found_now  # which may have been replaced meanwhile
        found = {video_id: self._facts.get(video_id) for video_id in ids}
        return {video_id: facts for video_id, facts in found.items() if facts is not None}


def _read_all(
    database: Database, ids: Sequence[str], forecasts: ForecastCache
) -> dict[str, ProcessingFacts | None]:
    facts: dict[str, ProcessingFacts | None] = dict.fromkeys(ids)
    for first in range(0, len(ids), _BATCH):
        facts.update(_read(database, ids[first : first + _BATCH], forecasts))
    return facts


@transaction(writes=False)
def _read(
    session: Session, ids: Sequence[str], forecasts: ForecastCache
) -> Mapping[str, ProcessingFacts]:
    videos = session.scalars(select(Video).where(Video.id.in_(ids))).all()
    return read_facts(session, videos, forecasts)


def cached_rights(
    stores: Stores, watcher: Watcher, found: Mapping[str, ProcessingFacts]
) -> Mapping[str, Rights]:
    """Return what somebody may do with each of these videos, by id.

    :raises redis.exceptions.RedisError: Redis does not answer.
    :raises DatabaseUnavailable: an entry is missing, and the database does not answer.
    """
    cached = stores.videos.get_many(list(found), partial(load_access, stores.database))
    access = {
        video_id: entry or _without_bytes(found[video_id].video)
        for video_id, entry in cached.items()
    }
    watcher = with_cached_groups(stores, watcher, access.values())
    return {video_id: rights_of(watcher, entry) for video_id, entry in access.items()}


def _without_bytes(video: Video) -> VideoAccess:
    """Return who may know of a video of which nobody gets bytes: its owner, if it was rejected."""
    is_rejected = video.rejection_reason is not None and video.deleted_at is None
    return VideoAccess(
        owner_id=video.owner_id if is_rejected else None, visibility=Visibility.PRIVATE
    )
