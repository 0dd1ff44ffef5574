"""What the upload service and its janitor need to know."""

from dataclasses import dataclass
from pathlib import Path

from common.formats import DEFAULT, read_formats
from common.settings import CommonSettings, Environment


@dataclass(frozen=True)
class UploadSettings:
    """:param max_upload_size: bytes of one file.
    :param cleanup_after: seconds without a new byte until an unfinished upload is removed.
    :param upload_expires: seconds without a new byte for which an upload can be continued.
    :param quota: bytes of one user's videos and uploads; None is no limit.
    :param formats: of the files that may come in: see `common.formats`.
    :param uploads_at_once: per process, where each holds a thread for as long as its client takes;
        None where it does not.
    """

    common: CommonSettings
    videos_dir: Path
    max_upload_size: int
    cleanup_after: int
    uploads_at_once: int | None = 12
    upload_expires: int = 7 * 24 * 3600
    quota: int | None = None
    formats: frozenset[str] = DEFAULT

    @classmethod
    def read(cls, environment: Environment) -> "UploadSettings":
        """:raises SettingsError: naming the first setting that is missing or wrong."""
        # A quarter of gunicorn's threads stays free for everybody else's short requests.
        threads = environment.number("THREADS", 16, min_value=1, max_value=10_000)
        holds_thread = environment.text("WORKER_CLASS", "gthread") == "gthread"
        limited = environment.text("QUOTA", "") != ""
        return cls(
            CommonSettings.read(environment),
            videos_dir=Path(environment.text("VIDEOS_DIR")),
            max_upload_size=environment.size("MAX_UPLOAD_SIZE", "16g"),
            cleanup_after=environment.duration("CLEANUP_AFTER", "1h"),
            upload_expires=environment.duration("UPLOAD_EXPIRES", "7d"),
            quota=environment.size("QUOTA", "") if limited else None,
            formats=read_formats(environment),
            uploads_at_once=max(1, threads * 3 // 4) if holds_thread else None,
        )
