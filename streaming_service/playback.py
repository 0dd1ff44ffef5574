"""Who gets the bytes of a video."""

from sqlalchemy import select

from common.access import VideoAccess, may_watch
from common.cache import video_key
from common.errors import NotThere, SignInRequired
from common.sessions import session_key, viewer_of
from common.stores import Stores
from db.engine import Database
from db.models import Video


def authorise(stores: Stores, *, token: str | None, video_id: str) -> None:
    """Return if the bearer of a session's token may have a video's bytes, and raise if not.

    This runs for every viewer about once a second, so it costs one round trip to Redis; the
    database is asked only when the cache holds nothing.

    :param token: as the client sent it; one that opens no session counts as none.
    :param video_id: of the form of an id.
    :raises SignInRequired: nobody is signed in, whether or not there is such a video.
    :raises NotThere: there is no such video, or it is not for this viewer.
    :raises redis.exceptions.RedisError: the session store is away.
    :raises DatabaseAway: the database is needed, and away.
    """
    keys = [video_key(video_id), *([session_key(token)] if token else [])]
    entry, *session = (i if isinstance(i, str) else None for i in stores.redis.mget(keys))
    viewer = viewer_of(session[0]) if session else None
    access = stores.videos.resolve(video_id, entry, lambda i: load_access(stores.database, i))
    if access is not None and may_watch(viewer, access):
        return
    if viewer is None:
        raise SignInRequired
    raise NotThere


def load_access(database: Database, video_id: str) -> VideoAccess | None:
    """Read what decides on a video, or None if there is none or it has been deleted."""
    wanted = select(Video.owner_id, Video.visibility).where(
        Video.id == video_id, Video.deleted_at.is_(None)
    )
    row = database.read(lambda session: session.execute(wanted).one_or_none())
    return None if row is None else VideoAccess(owner_id=row.owner_id, visibility=row.visibility)
