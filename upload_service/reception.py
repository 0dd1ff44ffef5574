"""Receiving one form with one file: from parts of a body to a synced upload."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from common.errors import MatineeError, Unprocessable
from common.ids import is_id
from common.pages import filesize
from common.storage import MediaStorage, StorageFull
from common.stores import Stores
from db.models import Upload
from upload_service.body import BodyTooLarge
from upload_service.counters import bytes_received
from upload_service.form import FIELD_LIMIT, Part
from upload_service.titles import clean_title, title_of_file
from upload_service.uploads import abandon_upload, begin_upload

RESERVE = 64 << 20
"""Bytes of the volume that uploads leave free: the database may share it."""


class NoRoom(MatineeError):
    """The volume is full, or would be."""

    status = 507

    def __init__(self) -> None:
        super().__init__("There is not enough room left for this file. Tell the administrator.")


@dataclass
class Arrival:
    """What has arrived of a form so far.

    :ivar received: bytes of the file.
    """

    submission: str | None = None
    title: str = ""
    received: int = 0
    upload: Upload | None = None


def file_too_large(limit: int) -> BodyTooLarge:
    """Say how large a file may be."""
    return BodyTooLarge(f"This file is too large: at most {filesize(limit)} are taken.")


def room(storage: MediaStorage) -> int:
    """Return how many bytes uploads may still take."""
    return max(0, storage.free_bytes() - RESERVE)


def receive_form(
    stores: Stores,
    storage: MediaStorage,
    *,
    owner_id: int,
    parts: Iterable[Part],
    arrival: Arrival,
    max_size: int,
) -> Upload:
    """Take in a form's fields and its file, and return the upload, whose bytes are synced.

    Browsers send the fields before the file; the other order is taken as well. Whatever goes
    wrong, a client that leaves included, removes the bytes.

    :param arrival: filled in on the way, for whoever must tell how far it came.
    :param max_size: bytes of the file.
    :raises Unprocessable: a field is missing, doubled, or not what it should be.
    :raises BodyTooLarge: the file or a field is too long.
    :raises NoRoom: the volume is full.
    """
    with ExitStack() as undo:
        seen = set()
        for part in parts:
            if part.name in seen:
                raise Unprocessable(f"The field “{part.name}” came twice.")
            if part.name in ("submission", "title", "file"):
                seen.add(part.name)
            if part.name == "file":
                upload = _begin(stores, owner_id=owner_id, part=part, arrival=arrival)
                arrival.upload = upload
                undo.callback(partial(abandon_upload, stores, storage, upload_id=upload.id))
                _store(storage, part=part, arrival=arrival, upload=upload, max_size=max_size)
            elif part.name == "submission":
                arrival.submission = _submission(part.text())
            elif part.name == "title":
                arrival.title = clean_title(part.text())
            else:
                _skip(part)
        if arrival.upload is None:
            raise Unprocessable("Choose an MP4 file.")
        undo.pop_all()
    arrival.upload.title = arrival.title or arrival.upload.title
    arrival.upload.submission = arrival.submission
    return arrival.upload


def _begin(stores: Stores, *, owner_id: int, part: Part, arrival: Arrival) -> Upload:
    if not part.file_name:
        raise Unprocessable("Choose an MP4 file.")
    work = partial(
        begin_upload,
        owner_id=owner_id,
        submission=arrival.submission,
        title=arrival.title or title_of_file(part.file_name),
    )
    return stores.database.write(work)


def _store(
    storage: MediaStorage, *, part: Part, arrival: Arrival, upload: Upload, max_size: int
) -> None:
    """Write a part's bytes, once, to the upload's file."""
    left = room(storage)
    try:
        with storage.create_incoming(upload.id) as file:
            for piece in part.content:
                arrival.received += len(piece)
                bytes_received.inc(len(piece))
                if arrival.received > max_size:
                    raise file_too_large(max_size)
                if arrival.received > left:
                    raise NoRoom
                storage.append(file, piece)
            if not arrival.received:
                raise Unprocessable("This file is empty.")
            storage.sync(file)
    except StorageFull as error:
        raise NoRoom from error


def _submission(text: str) -> str | None:
    if text and not is_id(text):
        raise Unprocessable("The field “submission” is not what this form sends. Reload the page.")
    return text or None


def _skip(part: Part) -> None:
    """Pass over a field that is not ours, as long as it is short."""
    length = 0
    for piece in part.content:
        length += len(piece)
        if length > FIELD_LIMIT:
            raise BodyTooLarge("A field of this form is longer than it can be.")
