"""What the rules of uploads work with."""

from dataclasses import dataclass

from common.storage import IncomingStore, VideoStore
from common.stores import Stores
from db.engine import Database
from upload_service.settings import UploadSettings


@dataclass(frozen=True)
class UploadContext:
    """The stores and settings that apply to uploads of one account."""

    stores: Stores
    incoming: IncomingStore
    videos: VideoStore
    settings: UploadSettings
    owner_id: int

    @property
    def database(self) -> Database:
        """The database of the stores."""
        return self.stores.database
