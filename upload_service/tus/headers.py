"""The headers of tus 1.0.0 (https://tus.io/protocols/resumable-upload), read strictly.

One that is missing, doubled, or not what it should be raises `BadHeader`.
"""

import base64
import hashlib
import re
from urllib.parse import urlsplit

from common.errors import MatineeError
from common.ids import is_id
from common.titles import clean_title
from upload_service.receive.append_pieces import Checksum
from upload_service.titles import clean_file_name, title_of_file
from upload_service.uploads.create import NewUpload

VERSION = "1.0.0"
EXTENSIONS = (
    "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,"
    "concatenation"
)
CONTENT_TYPE = "application/offset+octet-stream"
FILES = "/upload/files"
ALGORITHMS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}

_NUMBER = re.compile(r"[0-9]{1,19}")
_KEY = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,255}")
_FINGERPRINT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MAX_METADATA = 8192  # characters
_MAX_NUMBER = (1 << 63) - 1  # what the database holds


class BadHeader(MatineeError):
    """A header does not say what it should."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The header “{name}” is missing, doubled, or not what it should be.")


class WrongVersion(MatineeError):
    """The client does not speak this version of the protocol."""

    status = 412

    def __init__(self) -> None:
        super().__init__(f"This address speaks tus {VERSION}: send “Tus-Resumable: {VERSION}”.")
        self.headers["Tus-Version"] = VERSION


class WrongContentType(MatineeError):
    """The bytes come as something else than bytes."""

    status = 415
    sentence = f"Send the bytes as “Content-Type: {CONTENT_TYPE}”."


def number(name: str, value: str | None) -> int:
    """Read a header that is a number of bytes; one that came twice holds a comma, and fails."""
    if value is None or not _NUMBER.fullmatch(value) or int(value) > _MAX_NUMBER:
        raise BadHeader(name)
    return int(value)


def upload_length(length: str | None, deferred: str | None) -> int | None:
    """Read `Upload-Length` and `Upload-Defer-Length`, of which one must be there."""
    if deferred is None:
        return number("Upload-Length", length)
    if deferred != "1" or length is not None:
        raise BadHeader("Upload-Defer-Length")
    return None


def metadata(header: str | None) -> dict[str, str]:
    """Read `Upload-Metadata`: pairs of a key and a value in Base64, which may be missing."""
    pairs: dict[str, str] = {}
    if header is None or not header.strip():
        return pairs
    if len(header) > _MAX_METADATA or not header.isascii():
        raise BadHeader("Upload-Metadata")
    for pair in header.split(","):
        key, _, encoded = pair.strip().partition(" ")
        if not _KEY.fullmatch(key) or key in pairs:
            raise BadHeader("Upload-Metadata")
        value = _base64("Upload-Metadata", encoded)
        pairs[key] = value.decode("utf-8", errors="replace")
    return pairs


def new_upload(*, length: int | None, header: str | None, is_part: bool) -> NewUpload:
    """Read what a client says of an upload. Of its metadata five keys are used, and all kept."""
    pairs = metadata(header)
    name = pairs.get("filename", "")
    submission = pairs.get("submission") or None
    fingerprint = pairs.get("fingerprint") or None
    if (submission and not is_id(submission)) or (
        fingerprint and not _FINGERPRINT.fullmatch(fingerprint)
    ):
        raise BadHeader("Upload-Metadata")
    return NewUpload(
        length=length,
        title=clean_title(pairs.get("title", "")) or title_of_file(name),
        tus_metadata=header.strip() if header else None,
        file_name=clean_file_name(name) or None,
        fingerprint=fingerprint,
        submission=submission,
        is_part=is_part,
    )


def checksum(header: str | None) -> Checksum | None:
    """Read `Upload-Checksum`: an algorithm and a digest in Base64.

    A digest of the wrong length matches no bytes, so the answer is that of a mismatch.
    """
    if header is None:
        return None
    name, _, encoded = header.partition(" ")
    digest = _base64("Upload-Checksum", encoded.strip())
    if name not in ALGORITHMS or not digest:
        raise BadHeader("Upload-Checksum")
    return Checksum(ALGORITHMS[name], digest)


def _base64(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise BadHeader(name) from error


def concat(header: str | None) -> tuple[bool, list[str] | None]:
    """Read `Upload-Concat`: `partial`, or `final;` and addresses of parts.

    :return: whether it is a part, and the ids of the parts of a whole.
    """
    if header is None or header.strip() == "partial":
        return header is not None, None
    kind, _, addresses = header.partition(";")
    parts = [_part(address) for address in addresses.split()]
    if kind.strip() != "final" or not parts:
        raise BadHeader("Upload-Concat")
    return False, parts


def _part(address: str) -> str:
    try:
        folder, _, upload_id = urlsplit(address).path.rpartition("/")
    except ValueError as error:
        raise BadHeader("Upload-Concat") from error
    if folder != FILES or not is_id(upload_id):
        raise BadHeader("Upload-Concat")
    return upload_id
