"""Accept Matroska and WebM files by their header (RFC 8794, RFC 9559).

Nothing else is read here. Browsers are not offered these files, so that the `check` job can measure
and reject them before anybody watches.
"""

import re

from upload_service.inspect.errors import NotAVideo, damaged
from upload_service.inspect.video_info import VideoInfo

MAGIC = b"\x1aE\xdf\xa3"
FORMATS = frozenset({"mkv", "webm"})

# The element's id, its size in one to eight bytes, and its content (RFC 8794, 11.2.4).
_DOC_TYPE = re.compile(
    rb"\x42\x82(?:[\x80-\xff]|[\x01-\x7f].{1,7}?)(matroska|webm)(?![a-z])", re.DOTALL
)
_NAMES = {"mkv": "Matroska", "webm": "WebM"}


def inspect_matroska(head: bytes, *, formats: frozenset[str]) -> VideoInfo:
    """Tell Matroska from WebM, and whether it is accepted.

    :param head: the first bytes of a file that begins with `MAGIC`.
    :param formats: the accepted formats: see `common.formats`.
    :raises NotAVideo: it is neither, or not accepted.
    """
    found = _DOC_TYPE.search(head)
    if found is None:
        raise damaged("it is neither Matroska nor WebM")
    container = "webm" if found[1] == b"webm" else "mkv"
    if container not in formats:
        raise NotAVideo(
            f"This is a {_NAMES[container]} video, which this site does not take. "
            "Convert it to MP4 and upload it again."
        )
    return VideoInfo(container=container, playable=False)
