"""Why a file is rejected, in sentences for the person who uploaded it."""

from common.errors import Unprocessable


class NotAVideo(Unprocessable):
    """The bytes are not a video that can be played.

    :ivar sentence: says what is wrong, and what to do about it.
    """


def truncated() -> NotAVideo:
    """Return the error for a file whose last bytes are missing."""
    return NotAVideo(
        "This file is cut short: its end is missing. Get a whole copy of it and upload it again."
    )


def damaged(reason: str) -> NotAVideo:
    """Return the error for a file that contradicts itself.

    :param reason: a clause about the part that is wrong, without a full stop.
    """
    return NotAVideo(
        f"This file is damaged: {reason}. Save it again as MP4 and upload the new file."
    )


def limit_exceeded(reason: str) -> NotAVideo:
    """Return the error for a file that exceeds a limit.

    :param reason: a predicate that names the limit, without a full stop.
    """
    return NotAVideo(
        f"This file {reason}. Save it again as an ordinary MP4 and upload the new file."
    )
