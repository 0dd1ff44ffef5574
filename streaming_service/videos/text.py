"""Times in words."""

from datetime import datetime

from db.models import now


def time_left(moment: datetime) -> str:
    """Say how long it is until then, coarsely: `about 3 minutes`, `less than a minute`."""
    minutes = round((moment - now()).total_seconds() / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes == 1:
        return "about a minute"
    if minutes < 60:
        return f"about {minutes} minutes"
    hours = round(minutes / 60)
    if hours < 48:
        return f"about {hours} hours" if hours > 1 else "about an hour"
    return f"{round(hours / 24)} days"
