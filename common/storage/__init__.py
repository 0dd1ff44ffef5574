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
from common.storage.videos import VideoStore
from common.storage.volume import RESERVED_SPACE, StoredFile, Volume

__all__ = [
    "RESERVED_SPACE",
    "AttemptStore",
    "FileLocked",
    "IncomingStore",
    "StorageError",
    "StorageFull",
    "StoredFile",
    "VideoStore",
    "Volume",
]
