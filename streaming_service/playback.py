"""Who gets the bytes of a video."""

from collections.abc import Callable

from sqlalchemy import select

from common.access import VideoAccess, Viewer, may_download, may_play_original, may_watch
from common.errors import LoginRequired, NotFound
from common.media import MediaFile, disposition
from common.stores import Stores
from common.stores.sessions import session_key, viewer_of
from common.stores.video_cache import video_key
from db.engine import Database
from db.models import Video


def authorise(stores: Stores, *, token: str | None, video_id: str, media: MediaFile) -> None:
    """Return if the bearer of a session's token may have a file of a video, and raise if not.

    This runs for every viewer about once a second, so it costs one round trip to Redis at most; the
    database is asked only when the cache holds nothing, and the session's end is put off once in
    a while.

    :param token: as the client sent it; one that opens no session counts as none.
    :param video_id: of the form of an id.
    :raises LoginRequired: nobody is signed in, whether or not there is such a video.
    :raises NotFound: there is no such video, or it is not for this viewer.
    :raises redis.exceptions.RedisError: the session store is away.
    :raises DatabaseAway: the database is needed, and away.
    """
    keys = [video_key(video_id), *([session_key(token)] if token else [])]
    entry, *session = stores.strings.get(keys)
    viewer = viewer_of(session[0]) if session else None
    access = stores.videos.resolve(video_id, entry, lambda i: load_access(stores.database, i))
    if access is not None and _rule(media)(viewer, access):
        if token and viewer is not None:
            stores.sessions.extend(token, viewer)
        return
    if viewer is None:
        raise LoginRequired
    raise NotFound


def _rule(media: MediaFile) -> Callable[[Viewer | None, VideoAccess], bool]:
    if media.is_download:
        return may_download
    return may_play_original if media.is_original else may_watch


def load_access(database: Database, video_id: str) -> VideoAccess | None:
    """Read what decides on a video; None if there is none, or its bytes are for nobody.

    That is so once it has been deleted, and of one that was refused.
    """
    wanted = select(Video.owner_id, Video.visibility, Video.downloadable, Video.playable).where(
        Video.id == video_id, Video.deleted_at.is_(None), Video.rejection_reason.is_(None)
    )
    row = database.read(lambda session: session.execute(wanted).one_or_none())
    return None if row is None else VideoAccess(*row)


def kept_as(database: Database, video_id: str) -> str:
    """Return the `Content-Disposition` of a video's download: what the uploader called the file.

    Downloads are rare, so this is asked of the database each time.

    :raises NotFound: it has just been deleted.
    :raises DatabaseAway: it cannot be asked.
    """
    wanted = select(Video.file_name, Video.title, Video.container).where(Video.id == video_id)
    row = database.read(lambda session: session.execute(wanted).one_or_none())
    if row is None:
        raise NotFound
    return disposition(row.file_name or row.title, row.container)
