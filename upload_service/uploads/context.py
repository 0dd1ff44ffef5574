"""What the rules of uploads work with."""

from dataclasses import dataclass

from common.formats import DEFAULT
from common.storage import IncomingStore, VideoStore
from common.stores import Stores
from db.engine import Database


@dataclass(frozen=True)
class UploadLimits:
    """What an upload may be.

    :ivar max_size: bytes of one file.
    :ivar quota: bytes of one account's videos and uploads, unless the account has its own quota;
        None is no limit.
    :ivar expires: seconds without a new byte after which an upload cannot be continued.
    :ivar formats: of the files that are accepted: see `common.formats`.
    """

    max_size: int
    quota: int | None
    expires: int
    formats: frozenset[str] = DEFAULT


@dataclass(frozen=True)
class UploadContext:
    """The stores and limits that apply to uploads of one account."""

    stores: Stores
    incoming: IncomingStore
    videos: VideoStore
    limits: UploadLimits
    owner_id: int

    @property
    def database(self) -> Database:
        """The database of the stores."""
        return self.stores.database
