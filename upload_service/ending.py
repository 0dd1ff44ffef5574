"""Uploads taken further after a crash, or thrown away."""

from functools import partial

from common.errors import NotFound
from common.storage import MediaStorage
from common.stores import Stores
from db.models import Upload, Video
from upload_service.completing import complete, finished
from upload_service.joining import drop_parts, join
from upload_service.lookup import Standing, find
from upload_service.storing import sync
from upload_service.uploads import abandon_upload
from upload_service.writers import sole_writer


def settle(stores: Stores, storage: MediaStorage, *, upload: Upload) -> Standing | None:
    """Take an upload further that a crash left complete; return None if it is not.

    :raises NotAVideo: it was complete, and is not a film; it is gone.
    :raises Locked: somebody is at it.
    """
    if storage.has_original(upload.id):
        return finished(stores, storage, upload)
    if upload.parts is not None and storage.incoming_size(upload.id) is not None:
        return join(stores, storage, upload=upload, patience=0)
    if upload.is_part or storage.incoming_size(upload.id) != upload.length:
        return None
    try:
        with sole_writer(stores.redis, storage, upload.id, patience=0) as file:
            sync(file, start=storage.size(file))
            return complete(stores, storage, upload, storage.size(file))
    except FileNotFoundError:
        return None


def terminate(stores: Stores, storage: MediaStorage, *, owner_id: int, upload_id: str) -> None:
    """Throw an unfinished upload away, and give back its room.

    :raises NotFound: there is none of this owner's.
    :raises Locked: it is just being finished.
    """
    found = stores.database.read(partial(find, owner_id=owner_id, upload_id=upload_id))
    if isinstance(found, Video):
        raise NotFound
    try:
        with sole_writer(stores.redis, storage, upload_id, at_once=True):
            abandon_upload(stores, storage, upload_id=upload_id)
    except FileNotFoundError:
        abandon_upload(stores, storage, upload_id=upload_id)
    drop_parts(stores, storage, found)
