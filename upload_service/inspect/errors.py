"""Why a file is rejected, in sentences for the person who uploaded it."""

from common.errors import Unprocessable
from common.translation import gettext


class NotAVideo(Unprocessable):
    """The bytes are not a video that can be played; the sentence says why, and what to do."""


def truncated() -> NotAVideo:
    """Return the error for a file whose last bytes are missing."""
    return NotAVideo(
        gettext(
            "This file is cut short: its end is missing. Get a whole copy of it and upload "
            "it again."
        )
    )


def damaged(reason: str) -> NotAVideo:
    """Return the error for a file that contradicts itself: `reason` is a clause that says where."""
    return NotAVideo(
        gettext(
            "This file is damaged: %(reason)s. Save it again as MP4 and upload the new file.",
            reason=reason,
        )
    )


def limit_exceeded(reason: str) -> NotAVideo:
    """Return the error for a file that exceeds a limit: `reason` is a clause that says which."""
    return NotAVideo(
        gettext(
            "This file cannot be used: %(reason)s. Save it again as an ordinary MP4 and upload the "
            "new file.",
            reason=reason,
        )
    )
