"""What the upload service and its janitor need to know."""

from dataclasses import dataclass
from pathlib import Path

from common.formats import DEFAULT, read_formats
from common.settings import CommonSettings, Environment


@dataclass(frozen=True)
class UploadSettings:
    """:param max_upload_size: bytes of one file.
    :param cleanup_after: seconds without a new byte until an unfinished form is removed.
    :param upload_expires: seconds without a new byte for which an upload can be continued.
    :param formats: of the files that are accepted: see `common.formats`.
    """

    common: CommonSettings
    videos_dir: Path
    max_upload_size: int
    cleanup_after: int
    upload_expires: int = 7 * 24 * 3600
    formats: frozenset[str] = DEFAULT

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
        )
