"""Videos that one process of a test run prepares, and the others copy into their own sites.

Preparing a minute of video takes as long as many tests, and each process has a site of its own.
"""

import fcntl
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.system.deployment import Standalone

_OF_A_VIDEO = """
    SELECT tables.name, columns.name FROM kept.sqlite_schema AS tables
    JOIN pragma_table_info(tables.name, 'kept') AS columns
    WHERE tables.type = 'table'
        AND columns.name = CASE tables.name WHEN 'videos' THEN 'id' ELSE 'video_id' END
"""


class KeptVideos:
    """What is kept of videos: their rows and files, as they were once everything was prepared.

    Alice, whose they are, is the first account of every site.

    :param folder: one that the processes of a test run share.
    """

    def __init__(self, folder: Path, site: Standalone) -> None:
        self._folder = folder
        self._site = site

    def video(self, name: str, prepare: Callable[[], str]) -> str:
        """Return the id of a video that is on this site from now on. One process prepares it.

        :param name: under which it is kept.
        :param prepare: puts it on this site, and returns its id once everything of it is prepared.
        """
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = folder / "kept"
            if not kept.exists():
                video = prepare()
                self._keep(video, folder / "unfinished")
                (folder / "unfinished").rename(kept)
                return video
        return self._copy(kept)

    def _keep(self, video: str, folder: Path) -> None:
        shutil.copytree(self._site.volume / video, folder / video)
        with self._rows() as rows, closing(sqlite3.connect(folder / "matinee.db")) as copy:
            rows.backup(copy)

    def _copy(self, kept: Path) -> str:
        [found] = kept.glob("*/original.mp4")
        video = found.parent.name
        shutil.copytree(found.parent, self._site.volume / video)
        with self._rows() as rows, rows:
            rows.execute("ATTACH ? AS kept", [str(kept / "matinee.db")])
            rows.execute("BEGIN IMMEDIATE")
            for table, key in sorted(rows.execute(_OF_A_VIDEO), key=lambda one: one[0] != "videos"):
                self._copy_rows(rows, table, f"{key} = '{video}'")
        return video

    @staticmethod
    def _copy_rows(rows: sqlite3.Connection, table: str, condition: str) -> None:
        """Copy rows, without the numbers that each site gives them."""
        columns = ", ".join(
            f'"{name}"'
            for _, name, kind, *_ in rows.execute(f"PRAGMA table_info({table})").fetchall()
            if (name, kind) != ("id", "INTEGER")
        )
        rows.execute(
            f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM kept.{table}"
            f" WHERE {condition}"
        )

    def _rows(self) -> "closing[sqlite3.Connection]":
        return closing(sqlite3.connect(self._site.data_dir / "matinee.db", timeout=10))
