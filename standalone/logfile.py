"""Copy lines from standard input into a log file, which is rotated by size.

    python -m standalone.logfile FILE

All programs of standalone write to one pipe, which this program reads. It never makes them wait
for a disk that is full: a line that cannot be written is lost. It ends when the pipe has no writer
left.
"""

import logging
import logging.handlers
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

_LIMIT = 10_000_000  # bytes of one file
_KEPT = 2  # older files, named FILE.1 and FILE.2
_LONGEST_LINE = 64 * 1024  # bytes; a longer one becomes several


def copy_lines(source: IO[bytes], path: Path, *, limit: int = _LIMIT, kept: int = _KEPT) -> None:
    """Copy all lines. Returns at the end of the source.

    :param limit: bytes after which a new file is begun.
    :param kept: how many older files are kept.
    """
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=limit, backupCount=kept, encoding="utf-8", errors="replace", delay=True
    )
    handler.handleError = lambda record: None  # type: ignore[method-assign]  # the line is lost
    while line := source.readline(_LONGEST_LINE):
        text = line.rstrip(b"\n").decode("utf-8", "replace")
        handler.handle(logging.makeLogRecord({"msg": text}))
    with suppress(OSError):
        handler.close()


if __name__ == "__main__":
    # The end of the pipe ends this program, so that the last lines of the others are kept.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    copy_lines(sys.stdin.buffer, Path(sys.argv[1]))
