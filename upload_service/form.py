"""A form with a file (`multipart/form-data`, RFC 7578), read as it comes.

Nothing is kept but the piece at hand and the few short fields.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
)

from common.errors import MatineeError, Unprocessable
from upload_service.body import BodyTooLarge
from upload_service.pipeline import Buffer, Share

FIELD_LIMIT = 1 << 16  # bytes
_PARTS = 16
_HEADER_LIMIT = 1 << 16  # bytes of one header line; names of files can be absurdly long


class NotAForm(MatineeError):
    """The body contradicts what it says it is."""

    def __init__(self) -> None:
        super().__init__("The form could not be read. Send it again.")


@dataclass(frozen=True)
class Part:
    """One field of a form.

    :ivar file_name: as the client gave it, and so for titles at most; None for a text.
    :ivar content: its bytes, to be read before the next part is asked for, and to be released.
    """

    name: str
    file_name: str | None
    content: Iterator[Share]

    def text(self) -> str:
        """Return what a field says.

        :raises BodyTooLarge: it says more than 64 KiB.
        :raises Unprocessable: it is a file, or not UTF-8.
        """
        if self.file_name is not None:
            raise Unprocessable(f"The field “{self.name}” is a text, not a file.")
        content = bytearray()
        for piece in self.content:
            content += piece.content
            piece.release()
            if len(content) > FIELD_LIMIT:
                raise BodyTooLarge("A field of this form is longer than it can be.")
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unprocessable("A field of this form is not text in UTF-8.") from error


def boundary_of(mimetype_params: dict[str, str]) -> str:
    """Return what stands between a form's parts.

    :raises NotAForm: nothing can.
    """
    boundary = mimetype_params.get("boundary", "")
    if not 0 < len(boundary) <= 200 or not boundary.isascii() or not boundary.isprintable():
        raise NotAForm
    return boundary


def read_form(pieces: Iterable[Buffer], boundary: str) -> Iterator[Part]:
    """Yield a form's parts in the order in which they come.

    :raises BodyTooLarge: more than a few parts, or endless headers.
    :raises NotAForm: it cannot be read.
    """
    events = _events(pieces, boundary)
    for event in events:
        if isinstance(event, MultipartSegment):
            yield Part(event.name or "", event.filename, _content(events))


def _events(pieces: Iterable[Buffer], boundary: str) -> Iterator[MultipartSegment | Share | None]:
    """Yield for each part its header, its bytes, and None at its end."""
    try:
        parser = PushMultipartParser(
            boundary, max_header_size=_HEADER_LIMIT, max_segment_count=_PARTS
        )
        for piece in pieces:
            try:
                for event in parser.parse(bytes(piece.content)):
                    yield piece.share(event) if isinstance(event, bytes) else event
            finally:
                piece.release()
        parser.close()
    except ParserLimitReached as error:
        raise BodyTooLarge("This form has more parts than it can have.") from error
    except MultipartError as error:
        raise NotAForm from error


def _content(events: Iterator[MultipartSegment | Share | None]) -> Iterator[Share]:
    for event in events:
        if not isinstance(event, Share):
            return
        yield event
