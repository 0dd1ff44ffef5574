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


def unsupported_codec(track: str, codec: str, convert_to: str) -> NotAVideo:
    """Return the error for a codec that browsers cannot play.

    :param track: "video" or "audio".
    :param codec: the codec's name.
    :param convert_to: the codec to convert to.
    """
    return NotAVideo(
        f"The {track} of this file is {codec}, which browsers cannot play. "
        f"Convert it to {convert_to} in an MP4 file and upload it again."
    )


def encrypted() -> NotAVideo:
    """Return the error for a file with DRM."""
    return NotAVideo(
        "This file is encrypted with copy protection (DRM). Choose one that plays without a key."
    )
