"""States of a video that no request can bring about, written into the database of `make run`.

A film stays in preparation only until it is ready, and a step fails only where a machine fails. To
show both, the jobs of one film are put off, and a job of another is marked as failed. A site of
containers has neither: its database takes no one but its services.
"""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from demo.catalogue import FAILED_STEP, PREPARING

_FAR = "9000-01-01 00:00:00.000000"  # a job that is put off until then does not start
_LIMIT = 600  # seconds until the first pictures must be there
_FAILURE = "The pictures could not be made."
_LOG = "[mjpeg @ 0x55d0] error while decoding MB 14 2, bytestream -7\n" * 3


def set_states(data_dir: Path, videos: dict[str, str]) -> None:
    """Hold one film back while it is prepared, and mark a step of another as failed.

    :param data_dir: of a Matinee that runs here. SQLite lets it and us write in turns.
    :param videos: ids by title.
    """
    file = data_dir / "matinee.db"
    with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as database:
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
            "UPDATE jobs SET not_before = ? WHERE video_id = ? AND state = 'waiting'",
            (_FAR, preparing),
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
