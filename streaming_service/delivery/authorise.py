"""The rule that decides on a request for a media file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.access import (
    VideoAccess,
    Viewer,
    Watcher,
    may_download,
    may_play_original,
    may_watch,
)
from common.access_queries import groups_of, read_access
from common.errors import LoginRequired, NotFound
from common.storage.objects import current_objects
from common.stores import Stores
from common.stores.sessions import session_key, viewer_of
from common.stores.visits import visit_key
from db.engine import Database, transaction
from db.models import Video
from streaming_service.delivery.files import MediaFile, content_disposition


def authorise(
    stores: Stores,
    *,
    token: str | None,
    visits: Sequence[str] = (),
    video_id: str,
    media: MediaFile,
) -> str | None:
    """Return the file's key in the object store if somebody may have it, and raise if not.

    The front server asks about once a second for each viewer. So this makes one round trip to
    Redis, and another one for the viewer's groups only where a group is what decides. The database
    is read only if the cache holds no entry. The session is extended at most once a minute.

    :param token: of a session, as the client sent it; one that opens none counts as none.
    :param visits: tokens of the links that this browser has opened.
    :param video_id: has the form of an id.
    :returns: None if the file is on the disk, or not there.
    :raises LoginRequired: nobody is signed in, whether or not there is such a video.
    :raises NotFound: there is no such video, or this viewer may not have the file.
    :raises redis.exceptions.RedisError: Redis does not answer.
    :raises DatabaseUnavailable: the database is needed and does not answer.
    """
    keys = [stores.videos.key(video_id), *map(visit_key, visits)]
    if token:
        keys.append(session_key(token))
    found = stores.redis.mget(keys)
    values = {key: v if isinstance(v, str) else None for key, v in zip(keys, found, strict=True)}
    viewer = viewer_of(values.pop(session_key(token))) if token else None
    entry = values.pop(stores.videos.key(video_id))
    access = stores.videos.resolve(video_id, entry, partial(load_access, stores.database))
    if access is not None and _allows(stores, media, access, viewer, visits=values):
        if token and viewer is not None:
            stores.sessions.extend(token, viewer)
        return access.keys.get(media.path)
    if viewer is None:
        raise LoginRequired
    raise NotFound


def _allows(
    stores: Stores,
    media: MediaFile,
    access: VideoAccess,
    viewer: Viewer | None,
    *,
    visits: Mapping[str, str | None],
) -> bool:
    """Apply the rule, first without the viewer's groups, which few videos need."""
    rule = _rule_for(media)
    links = stores.visits.resolve(visits) if visits and access.links else frozenset()
    watcher = Watcher(viewer, links=links)
    return rule(watcher, access) or rule(with_cached_groups(stores, watcher, [access]), access)


def with_cached_groups(stores: Stores, watcher: Watcher, videos: Iterable[VideoAccess]) -> Watcher:
    """Return a watcher with their groups, if a group may decide on one of these videos."""
    if watcher.viewer is None or all(g.group_id is None for v in videos for g in v.grants):
        return watcher
    load = partial(_load_groups, stores.database)
    return replace(watcher, groups=stores.groups.get(str(watcher.viewer.id), load))


def _load_groups(database: Database, user_id: str) -> frozenset[str]:
    return groups_of(database, int(user_id))


def _rule_for(media: MediaFile) -> Callable[[Watcher, VideoAccess], bool]:
    if media.is_download:
        return may_download
    return may_play_original if media.is_original else may_watch


@transaction(writes=False)
def load_access(session: Session, video_id: str) -> VideoAccess | None:
    """Read what decides on a video.

    :returns: None if nobody may have its bytes: it is deleted, has no owner, was rejected by the
        check, or does not exist.
    """
    rejected = session.scalar(select(Video.rejection_reason).where(Video.id == video_id))
    access = None if rejected is not None else read_access(session, [video_id]).get(video_id)
    if access is None:
        return None
    stored = current_objects(session, video_id=video_id)
    return replace(access, keys={name: found.key for name, found in stored.items()})


@transaction(writes=False)
def download_disposition(session: Session, video_id: str) -> str:
    """Return the `Content-Disposition` of a download, with the uploader's file name.

    Downloads are rare, so this reads the database each time.

    :raises NotFound: the video has just been deleted.
    """
    wanted = select(Video.file_name, Video.title, Video.container).where(Video.id == video_id)
    row = session.execute(wanted).one_or_none()
    if row is None:
        raise NotFound
    return content_disposition(row.file_name or row.title, row.container)
