"""Accept Matroska and WebM files by their header (RFC 8794, RFC 9559).

Nothing else is read here. Browsers are not offered these files, so the `check` job can measure and
reject them before anybody watches.
"""

import re

from common.translation import gettext
from upload_service.inspect.errors import NotAVideo, damaged, truncated
from upload_service.inspect.video_info import VideoInfo

MAGIC = b"\x1aE\xdf\xa3"
FORMATS = frozenset({"mkv", "webm"})

# The element's id, its size in one to eight bytes, and its content (RFC 8794, 11.2.4).
_DOC_TYPE = re.compile(
    rb"\x42\x82(?:[\x80-\xff]|[\x01-\x7f].{1,7}?)(matroska|webm)(?![a-z])", re.DOTALL
)
_SEGMENT = b"\x18\x53\x80\x67"
_NAMES = {"mkv": "Matroska", "webm": "WebM"}


def inspect_matroska(head: bytes, *, size: int, formats: frozenset[str]) -> VideoInfo:
    """Do what :func:`upload_service.inspect.inspect_file` does, for Matroska and WebM files.

    :param head: the first bytes of a file that begins with `MAGIC`.
    """
    found = _DOC_TYPE.search(head)
    if found is None:
        raise damaged(gettext("it is neither Matroska nor WebM"))
    container = "webm" if found[1] == b"webm" else "mkv"
    if container not in formats:
        raise NotAVideo(
            gettext(
                "This is a %(format)s video, which this site does not take. Convert it to MP4 "
                "and upload it again.",
                format=_NAMES[container],
            )
        )
    if _segment_end(head) > size:
        raise truncated()
    return VideoInfo(container=container, playable=False)


def _segment_end(head: bytes) -> int:
    """Return where the Segment ends, which holds everything after the header.

    Return 0 where it does not say (RFC 8794, 6.2): a browser that records does not know its size.
    """
    header_size, segment = _size_at(head, len(MAGIC))
    segment += header_size
    if not head.startswith(_SEGMENT, segment):
        return 0
    size, body = _size_at(head, segment + len(_SEGMENT))
    is_unknown = size == (1 << 7 * (body - segment - len(_SEGMENT))) - 1
    return 0 if is_unknown else body + size


def _size_at(head: bytes, offset: int) -> tuple[int, int]:
    """Return the size of an element (RFC 8794, 4), and the offset of the content after it."""
    first = head[offset] if offset < len(head) else 1
    length = 9 - first.bit_length()
    size = int.from_bytes(head[offset : offset + length], "big") & ((1 << 7 * length) - 1)
    return size, offset + length
