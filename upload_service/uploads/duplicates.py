"""Finding videos of an account that are the same file."""

import re
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.errors import Unprocessable
from common.live import is_live
from common.translation import gettext
from common.web.urls import watch_url
from db.engine import transaction
from db.models import Video

_LIMIT = 5  # videos that are named
_SHA256 = re.compile(r"[0-9a-f]{64}")


@transaction(writes=False)
def find_duplicates(
    session: Session, *, owner_id: int, sha256: str, besides: str = ""
) -> list[Video]:
    """Return an account's own videos with a checksum, the oldest first; not those in the bin.

    :param besides: the id of a video that is left out.
    :raises Unprocessable: it is not a SHA-256 in hexadecimal.
    """
    if not _SHA256.fullmatch(sha256):
        raise Unprocessable(gettext("“sha256” is 64 hexadecimal digits in lower case."))
    wanted = (
        select(Video)
        .where(
            Video.owner_id == owner_id,
            Video.sha256 == sha256,
            Video.id != besides,
            Video.binned_at.is_(None),
            is_live(),
        )
        .order_by(Video.created_at, Video.id)
        .limit(_LIMIT)
    )
    return list(session.scalars(wanted))


def duplicate_json(video: Video) -> dict[str, Any]:
    """Return a video that is the same file, for scripts."""
    return {"id": video.id, "title": video.title, "page": watch_url(video.id)}
