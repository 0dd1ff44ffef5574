"""The one package that touches the disk.

It takes ids, never names that a client chose, and everything it opens lies under one root:

    incoming/<upload>                        bytes of an unfinished upload; 0700
    <video>/original.mp4                     what was uploaded
    <video>/.work-<job>-<fence>/             one attempt at a processing step; 0700

Three stores share that root, and each service makes the ones that it uses. A rename or a new
folder is durable only after its parent folder is synced, so each is.
"""

from common.storage.attempts import AttemptStore
from common.storage.errors import FileLocked, StorageError, StorageFull
from common.storage.incoming import IncomingStore
from common.storage.videos import StoredFile, VideoStore

__all__ = [
    "AttemptStore",
    "FileLocked",
    "IncomingStore",
    "MediaStorage",
    "StorageError",
    "StorageFull",
    "StoredFile",
    "VideoStore",
]


class MediaStorage(IncomingStore, VideoStore, AttemptStore):
    """All three stores at once, for callers that have not been moved to one of them yet."""
