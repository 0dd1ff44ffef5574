"""The last byte is there: an upload becomes a video, now or for whoever asks again."""

from common.storage import MediaStorage
from common.stores import Stores
from db.models import Upload
from upload_service.lookup import Standing, WrongOffset, standing_of
from upload_service.receipts import receipts
from upload_service.storing import PastTheEnd
from upload_service.uploads import finish_upload


def complete(stores: Stores, storage: MediaStorage, upload: Upload, end: int) -> Standing:
    """Make a video of an upload that has all its bytes, synced; tell where another one stands.

    :param end: how many bytes it has.
    :raises NotAVideo: it is complete, and is not a film; it is gone.
    """
    if end == upload.length and not upload.is_part:
        return finished(stores, storage, upload)
    return Standing(upload, end, upload.length)


def finished(stores: Stores, storage: MediaStorage, upload: Upload) -> Standing:
    """Make a video of a complete upload.

    :raises NotAVideo: it is not a film, and is gone.
    """
    sha256 = receipts.of(upload.id, upload.length or 0)
    video = finish_upload(stores, storage, upload=upload, sha256=sha256)
    return Standing(upload, video.size, video.size, video)


def published(
    stores: Stores,
    storage: MediaStorage,
    *,
    owner_id: int,
    upload_id: str,
    offset: int,
    size: int | None,
) -> Standing:
    """Answer bytes for an upload that has all of them: its client lost the last answer."""
    now_at = standing_of(stores, storage, owner_id=owner_id, upload_id=upload_id)
    if offset != now_at.offset:
        raise WrongOffset
    if size != 0:
        raise PastTheEnd
    if now_at.video is None and now_at.upload is not None:
        return finished(stores, storage, now_at.upload)
    return now_at
