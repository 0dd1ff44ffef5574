"""Why a file is refused, in the words people read."""

from common.errors import Unprocessable


class NotAVideo(Unprocessable):
    """The bytes are not an MP4 that can be played.

    Its `sentence` says what is wrong and what to do about it, to the person who uploaded the file.
    """


def cut_short() -> NotAVideo:
    """Say that bytes are missing from the end."""
    return NotAVideo(
        "This file is cut short: its end is missing. Get a whole copy of it and upload it again."
    )


def damaged(what: str) -> NotAVideo:
    """Say that the file contradicts itself.

    :param what: half a sentence about the part that is wrong, without a full stop.
    """
    return NotAVideo(f"This file is damaged: {what}. Save it again as MP4 and upload the new file.")


def too_much(what: str) -> NotAVideo:
    """Say that the file is beyond what is looked at or played here.

    :param what: half a sentence that names the limit, without a full stop.
    """
    return NotAVideo(f"This file {what}. Save it again as an ordinary MP4 and upload the new file.")


def not_playable(part: str, codec: str, remedy: str) -> NotAVideo:
    """Say that browsers cannot play a codec.

    :param part: "picture" or "sound".
    :param codec: the codec's name.
    :param remedy: the codec to convert to.
    """
    return NotAVideo(
        f"The {part} of this file is {codec}, which browsers cannot play. "
        f"Convert it to {remedy} in an MP4 file and upload it again."
    )
