"""A form with a file (`multipart/form-data`, RFC 7578), read as it arrives.

Only the piece at hand and the few short fields are in memory.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import cast

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from common.errors import MatineeError, Unprocessable
from common.translation import gettext, gettext_noop
from upload_service.receive.body import BodyTooLarge

_MAX_FIELD = 1 << 16  # bytes
_MAX_PARTS = 16
_MAX_HEADER = 1 << 16  # bytes of one header line; names of files can be absurdly long


class MalformedForm(MatineeError):
    """The body contradicts what it says it is."""

    sentence = gettext_noop("The form could not be read. Send it again.")


@dataclass(frozen=True)
class Part:
    """One field of a form.

    :ivar file_name: as the client gave it, and so for titles at most; None for a text.
    :ivar content: its bytes, to be read before the next part is asked for.
    """

    name: str
    file_name: str | None
    content: Iterator[bytes]

    def text(self) -> str:
        """Return a field's value.

        :raises BodyTooLarge: it is longer than 64 KiB.
        :raises Unprocessable: it is a file, or not UTF-8.
        """
        if self.file_name is not None:
            raise Unprocessable(
                gettext("The field “%(name)s” is a text, not a file.", name=self.name)
            )
        try:
            return self.read_short().decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unprocessable(gettext("A field of this form is not text in UTF-8.")) from error

    def read_short(self) -> bytes:
        """Return the content.

        :raises BodyTooLarge: it is longer than 64 KiB.
        """
        content = bytearray()
        for piece in self.content:
            content += piece
            if len(content) > _MAX_FIELD:
                raise BodyTooLarge(gettext("A field of this form is longer than it can be."))
        return bytes(content)


def boundary_of(mimetype_params: dict[str, str]) -> str:
    """Return the boundary between a form's parts.

    :raises MalformedForm: it is missing, or cannot be one.
    """
    boundary = mimetype_params.get("boundary", "")
    if not 0 < len(boundary) <= 200 or not boundary.isascii() or not boundary.isprintable():
        raise MalformedForm
    return boundary


def read_form(pieces: Iterable[bytes], boundary: str) -> Iterator[Part]:
    """Yield a form's parts in the order in which they come.

    :raises BodyTooLarge: more than a few parts, or endless headers.
    :raises MalformedForm: it cannot be read.
    """
    events = _events(pieces, boundary)
    for event in events:
        if isinstance(event, MultipartSegment):
            content = takewhile(lambda one: isinstance(one, bytes), events)
            yield Part(event.name or "", event.filename, cast("Iterator[bytes]", content))


def _events(pieces: Iterable[bytes], boundary: str) -> Iterator[MultipartSegment | bytes | None]:
    """Yield for each part its header, its bytes, and None at its end."""
    try:
        parser = PushMultipartParser(
            boundary, max_header_size=_MAX_HEADER, max_segment_count=_MAX_PARTS
        )
        for piece in pieces:
            yield from parser.parse(piece)
        parser.close()
    except ParserLimitReached as error:
        raise BodyTooLarge(gettext("This form has more parts than it can have.")) from error
    except MultipartError as error:
        raise MalformedForm from error
