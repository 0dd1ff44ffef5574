"""States of a video that no request can bring about, written into the database of `make run`.

A film stays in preparation only until it is ready, a step fails only where a machine fails, and all
films were uploaded in one minute. To show what a site looks like after some months, a job of one
film gets a worker that never ends, a job of another is marked as failed, and films get earlier
days. A site of containers has none of this: its database takes no one but its services.
"""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from demo.catalogue import FAILED_STEP, FILMS, PREPARING, REFUSED

_FAR = "9000-01-01 00:00:00.000000"  # a lease until then does not expire
_AGO = "strftime('%Y-%m-%d %H:%M:%f000', 'now', ?)"  # as the services write times
_LIMIT = 600  # seconds until the first pictures must be there
_FAILURE = "The pictures could not be made."
_LOG = "[mjpeg @ 0x55d0] error while decoding MB 14 2, bytestream -7\n" * 3


def set_states(data_dir: Path, videos: dict[str, str]) -> None:
    """Hold one film back while it is prepared, mark a step of another as failed, and set days.

    :param data_dir: of a Matinee that runs here. SQLite lets it and us write in turns.
    :param videos: ids by title.
    """
    file = data_dir / "matinee.db"
    with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as database:
        _set_days(database, videos)
        failed = videos[FAILED_STEP]
        _wait_for_pictures(database, failed)
        database.execute(
            "UPDATE jobs SET state = 'failed', attempts = 3, error = ?, log_tail = ?"
            " WHERE video_id = ? AND kind = 'thumbnails' AND state = 'done'",
            (_FAILURE, _LOG, failed),
        )
        preparing = videos[PREPARING]
        _wait_for_pictures(database, preparing)
        database.execute(
            "UPDATE jobs SET state = 'running', worker = 'demo', leased_until = ?,"
            " fence = fence + 1"
            " WHERE video_id = ? AND state = 'waiting' AND height ="
            " (SELECT max(height) FROM jobs WHERE video_id = ? AND state = 'waiting')",
            (_FAR, preparing, preparing),
        )


def set_progress(data_dir: Path) -> None:
    """Let the film that is held back be half done since a minute ago, for a likely estimate."""
    with closing(sqlite3.connect(data_dir / "matinee.db", timeout=30)) as database, database:
        database.execute(
            f"UPDATE jobs SET progress = 0.5, started_at = {_AGO}, estimate = 120"
            " WHERE worker = 'demo'",
            ("-1 minutes",),
        )


def _set_days(database: sqlite3.Connection, videos: dict[str, str]) -> None:
    """Let the films of the catalogue have been uploaded one after the other, over some months."""
    days = {film.title: 0.2 * (place + 1) ** 1.7 for place, film in enumerate(FILMS)}
    for title, ago in (days | {REFUSED: 30.3}).items():
        database.execute(
            f"UPDATE videos SET created_at = {_AGO} WHERE id = ?", (f"-{ago} days", videos[title])
        )


def _wait_for_pictures(database: sqlite3.Connection, video: str) -> None:
    deadline = time.monotonic() + _LIMIT
    query = (
        "SELECT 1 FROM jobs WHERE video_id = ? AND kind = 'thumbnails'"
        " AND state IN ('done', 'failed')"
    )
    while database.execute(query, (video,)).fetchone() is None:
        if time.monotonic() > deadline:
            raise TimeoutError("The films are not being prepared.")
        time.sleep(1)
