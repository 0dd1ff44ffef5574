"""Published files of videos, read wherever they are: in the object store, or on the disk."""

from common.storage.errors import StoreUnavailable
from common.storage.object_files import ObjectFiles
from common.storage.objects import CurrentObject, current_objects
from transcode_service.worker_context import WorkerContext

_LOOKS = 2  # a file may be moved between a look at the rows and one at the disk


class FileElsewhere(Exception):
    """A file is neither in the object store nor here. It may be on another machine's disk."""


def require_store(context: WorkerContext, found: CurrentObject) -> ObjectFiles:
    """Return the object store that a row leads to, or raise :class:`StoreUnavailable`."""
    if context.objects is None:
        raise StoreUnavailable(f"{found.key} is in the object store, and S3_BUCKET is not set")
    return context.objects


def read_published(
    context: WorkerContext, video_id: str, name: str, *, limit: int | None = None
) -> bytes:
    """Return the content of a file.

    :param limit: bytes of its start that are enough.
    :raises FileNotFoundError: there is none.
    :raises FileElsewhere: it is not here, where not everything is.
    :raises DatabaseUnavailable, StoreUnavailable, StoreRefused: it cannot be read now.
    """
    for _ in range(_LOOKS):
        found = current_objects(context.database, video_id=video_id).get(name)
        if found is not None:
            objects = require_store(context, found)
            if limit is None:
                return objects.read(found)
            return objects.store.get(found.key, first=0, last=min(limit, found.size) - 1).body
        try:
            return context.storage.read_published(video_id, name, limit=limit)
        except FileNotFoundError as error:
            missing = error
    if not context.storage.is_shared:
        raise FileElsewhere(f"{video_id}/{name}") from missing
    raise missing


def has_published(context: WorkerContext, video_id: str, name: str) -> bool:
    """Tell whether a file is in the object store or here."""
    return any(
        name in current_objects(context.database, video_id=video_id)
        or context.storage.has_published(video_id, name)
        for _ in range(_LOOKS)
    )
