"""What the upload service and its janitor need to know."""

from dataclasses import dataclass, field
from pathlib import Path

from common.formats import DEFAULT, read_formats
from common.settings import CommonSettings, Environment
from common.storage.store_settings import Store, StoreSettings, read_upload_store


@dataclass(frozen=True)
class UploadSettings:
    """:param max_upload_size: bytes of one file.
    :param cleanup_after: seconds without a new byte until an unfinished form is removed.
    :param upload_expires: seconds without a new byte for which an upload can be continued.
    :param store: where files are kept.
    :param upload_store: where the bytes of uploads arrive.
    :param move_grace: seconds for which a file that was moved also stays where it was.
    :param formats: of the files that are accepted: see `common.formats`.
    """

    common: CommonSettings
    videos_dir: Path
    max_upload_size: int
    cleanup_after: int
    upload_expires: int = 7 * 24 * 3600
    formats: frozenset[str] = DEFAULT
    store: StoreSettings = field(default_factory=StoreSettings)
    upload_store: Store = Store.DISK
    move_grace: int = 3600

    @classmethod
    def read(cls, environment: Environment) -> "UploadSettings":
        """:raises SettingsError: naming the first setting that is missing or wrong."""
        return cls(
            CommonSettings.read(environment),
            videos_dir=Path(environment.text("VIDEOS_DIR")),
            max_upload_size=environment.size("MAX_UPLOAD_SIZE", "16g"),
            cleanup_after=environment.duration("CLEANUP_AFTER", "1h"),
            upload_expires=environment.duration("UPLOAD_EXPIRES", "7d"),
            formats=read_formats(environment),
            store=StoreSettings.read(environment),
            upload_store=read_upload_store(environment),
            move_grace=environment.duration("MOVE_GRACE", "1h"),
        )
