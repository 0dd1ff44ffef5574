"""What the rules of uploads work with."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.storage import IncomingStore, VideoStore
from common.storage.errors import StoreUnavailable
from common.stores import Stores
from db.engine import Database
from upload_service.settings import UploadSettings

if TYPE_CHECKING:
    from common.storage.s3 import S3Store


@dataclass(frozen=True)
class UploadContext:
    """The stores and settings that apply to uploads of one account."""

    stores: Stores
    incoming: IncomingStore
    videos: VideoStore
    settings: UploadSettings
    owner_id: int
    object_store: "S3Store | None" = None

    def require_object_store(self) -> "S3Store":
        """Return the object store, or raise :class:`StoreUnavailable` if the settings name none."""
        if self.object_store is None:
            raise StoreUnavailable("S3_BUCKET is not set")
        return self.object_store

    @property
    def database(self) -> Database:
        """The database of the stores."""
        return self.stores.database
