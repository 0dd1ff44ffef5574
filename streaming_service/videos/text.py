"""Times in words."""

from datetime import datetime

from common.translation import gettext, ngettext
from db.models import now


def time_left(moment: datetime) -> str:
    """Say how long it is until then, coarsely: `about 3 minutes`, `less than a minute`."""
    minutes = round((moment - now()).total_seconds() / 60)
    if minutes < 1:
        return gettext("less than a minute")
    if minutes < 60:
        return ngettext("about %(num)d minute", "about %(num)d minutes", minutes)
    hours = round(minutes / 60)
    if hours < 48:
        return ngettext("about %(num)d hour", "about %(num)d hours", hours)
    return ngettext("%(num)d day", "%(num)d days", round(hours / 24))
