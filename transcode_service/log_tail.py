"""The last lines that a program wrote, made fit to be shown to the person who uploaded a video."""

import re

LIMIT = 4000  # characters that are kept

# From its first line up to the line that names the exception, which is the first not indented.
_TRACEBACK = re.compile(r"^Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*", re.MULTILINE)
_PATH = re.compile(r"(?<![\w.])(?:file:)?/(?:[^\s/'\"<>:,;]+/)+")


def log_tail(text: str) -> str:
    """Return the end of a program's output without tracebacks and without folders' names.

    Of a path only the last part stays: `/srv/videos/x/original.mp4` becomes `original.mp4`.
    """
    return _PATH.sub("", _TRACEBACK.sub("", text))[-LIMIT:]
