"""Videos whose bytes are still arriving: their addresses are known from the first byte on."""

from sqlalchemy.orm import Session

from common.access import Viewer
from db.engine import transaction
from db.models import Upload, now


@transaction(writes=False)
def find_arriving(session: Session, viewer: Viewer | None, video_id: str) -> Upload | None:
    """Return a viewer's own upload that becomes the video with this id; None: there is none.

    A video has the id of its upload. Nobody else sees anything of it before it is complete.
    """
    if viewer is None:
        return None
    upload = session.get(Upload, video_id)
    if upload is None or upload.owner_id != viewer.id or upload.is_part:
        return None
    is_expired = upload.expires_at is not None and upload.expires_at <= now()
    return None if is_expired else upload
