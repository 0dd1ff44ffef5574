"""Numbers, durations and dates as people read them, and times as scripts do."""

from datetime import UTC, datetime


def filesize(count: int) -> str:
    """Format a number of bytes: `12.3 MB`, in powers of ten, as systems show disks.

    `frontend/src/js/format.js` writes it alike.
    """
    if count < 1000:
        return _counted(count, "byte")
    size, units = float(count), ["kB", "MB", "GB", "TB"]
    while (size := size / 1000) >= 999.95 and len(units) > 1:
        units.pop(0)
    return f"{size:.1f}".removesuffix(".0") + f" {units[0]}"


def clock(duration_ms: int) -> str:
    """Format a duration in whole seconds, rounded down as players do: `1:02:03`, `3:05`."""
    minutes, seconds = divmod(duration_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def spoken_clock(duration_ms: int) -> str:
    """Format a duration for a screen reader: `1 hour 2 minutes 3 seconds`."""
    minutes, seconds = divmod(duration_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [
        _counted(count, word)
        for count, word in ((hours, "hour"), (minutes, "minute"), (seconds, "second"))
        if count
    ]
    return " ".join(parts) or "0 seconds"


def webvtt_time(milliseconds: int) -> str:
    """Format a time as caption files write it: `01:02:03.450`."""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{rest:03}"


def date(moment: datetime) -> str:
    """Format a date: `14 November 2026`."""
    return f"{moment.day} {moment:%B %Y}"


def iso_time(moment: datetime | None) -> str | None:
    """Format a time for scripts, as ISO 8601 in UTC: `2026-11-02T09:30:00+00:00`; None stays."""
    return None if moment is None else moment.astimezone(UTC).isoformat()


def ago(moment: datetime) -> str:
    """Say how long ago something was: `just now`, `3 minutes ago`, `5 days ago`."""
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for length, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            return f"{_counted(int(seconds // length), word)} ago"
    return "just now"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
