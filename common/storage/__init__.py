"""The one package that touches the disk, and the seam for object storage.

It takes ids, never names that a client chose, and everything it opens lies under one root:

    incoming/<upload>        bytes of an unfinished upload; closed to the gateway (0700)
    <video>/original.mp4     what was uploaded
    <video>/.work-<job>-<fence>/             one attempt at a step, until then (0700)

A rename and a new folder are durable only after their folder is synced, so each is.
"""

from common.storage.errors import BeingWritten, StorageError, StorageFull
from common.storage.incoming import Incoming
from common.storage.open_files import OpenFiles
from common.storage.originals import Originals, StoredFile
from common.storage.prepared import Prepared

__all__ = ["BeingWritten", "MediaStorage", "StorageError", "StorageFull", "StoredFile"]


class MediaStorage(Incoming, OpenFiles, Originals, Prepared):
    """The files of uploads and videos under one root."""
