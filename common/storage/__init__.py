"""The one package that touches the disk.

It takes ids, never names that a client chose, and everything it opens lies under one root:

    incoming/<upload>                        bytes of an unfinished upload; 0700
    <video>/original.mp4                     what was uploaded
    <video>/.work-<job>-<fence>/             one attempt at a processing step; 0700

Several stores share that root, and each service makes the ones that it uses. A rename or a new
folder is durable only after its parent folder is synced, so each is.
"""

from common.storage.attempts import AttemptStore as AttemptStore
from common.storage.errors import FileLocked as FileLocked
from common.storage.errors import StorageError as StorageError
from common.storage.errors import StorageFull as StorageFull
from common.storage.incoming import IncomingStore as IncomingStore
from common.storage.videos import VideoStore as VideoStore
from common.storage.volume import RESERVED_SPACE as RESERVED_SPACE
from common.storage.volume import Volume as Volume
