"""The rule that decides on a request for a media file."""

from collections.abc import Callable
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.access import VideoAccess, Viewer, may_download, may_play_original, may_watch
from common.errors import LoginRequired, NotFound
from common.live import is_live
from common.stores import Stores
from common.stores.sessions import session_key, viewer_of
from common.stores.video_cache import video_key
from db.engine import transaction
from db.models import Video
from streaming_service.delivery.files import MediaFile, content_disposition


def authorise(stores: Stores, *, token: str | None, video_id: str, media: MediaFile) -> None:
    """Return if the holder of a session token may have a file of a video, and raise if not.

    The front server asks about once a second for each viewer. So this makes one round trip to
    Redis. The database is read only if the cache holds no entry of the video. The session is
    extended at most once a minute.

    :param token: as the client sent it; one that opens no session counts as none.
    :param video_id: has the form of an id.
    :raises LoginRequired: nobody is signed in, whether or not there is such a video.
    :raises NotFound: there is no such video, or this viewer may not have the file.
    :raises redis.exceptions.RedisError: Redis does not answer.
    :raises DatabaseUnavailable: the database is needed and does not answer.
    """
    keys = [video_key(video_id)]
    if token:
        keys.append(session_key(token))
    values = stores.redis.mget(keys)
    entry, *session = (value if isinstance(value, str) else None for value in values)
    viewer = viewer_of(session[0]) if session else None
    access = stores.videos.resolve(video_id, entry, partial(load_access, stores.database))
    if access is not None and _rule_for(media)(viewer, access):
        if token and viewer is not None:
            stores.sessions.extend(token, viewer)
        return
    if viewer is None:
        raise LoginRequired
    raise NotFound


def _rule_for(media: MediaFile) -> Callable[[Viewer | None, VideoAccess], bool]:
    if media.is_download:
        return may_download
    return may_play_original if media.is_original else may_watch


@transaction(writes=False)
def load_access(session: Session, video_id: str) -> VideoAccess | None:
    """Read what decides on a video.

    :returns: None if nobody may have its bytes: it is deleted, has no owner, was rejected by the
        check, or does not exist.
    """
    wanted = select(Video.owner_id, Video.visibility, Video.downloadable, Video.playable).where(
        Video.id == video_id, is_live(), Video.rejection_reason.is_(None)
    )
    row = session.execute(wanted).one_or_none()
    return None if row is None else VideoAccess(*row)


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
