"""Receiving one form with one file: from parts of a body to a synced upload."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from sqlalchemy.orm import Session

from common.errors import Unprocessable
from common.ids import is_id
from common.storage import MediaStorage, StorageFull
from common.stores import Stores
from db import native_threads
from db.models import Upload
from upload_service.body import FRAME, BodyTooLarge
from upload_service.form import FIELD_LIMIT, Part
from upload_service.pipeline import Piece, Sink
from upload_service.reservations import (
    Limits,
    NoRoom,
    file_too_large,
    lock_volume,
    require_room,
    reserve_more,
    room,
)
from upload_service.storing import receive
from upload_service.titles import clean_file_name, clean_title, title_of_file
from upload_service.uploads import abandon_upload, begin_upload

_STEP = 16 << 20  # bytes of a file that may come before they are promised, if nobody said how many


@dataclass
class Arrival:
    """What has arrived of a form so far.

    :ivar received: bytes of the file.
    :ivar sha256: of the file, once all of it is there.
    :ivar make_room: gives back the buffers that hold some of the file.
    """

    submission: str | None = None
    title: str = ""
    received: int = 0
    upload: Upload | None = None
    sha256: str | None = None
    make_room: Callable[[], None] = lambda: None


def receive_form(
    stores: Stores,
    storage: MediaStorage,
    *,
    owner_id: int,
    parts: Iterable[Part],
    arrival: Arrival,
    limits: Limits,
    announced: int | None = None,
) -> Upload:
    """Take in a form's fields and its file, and return the upload, whose bytes are synced.

    Browsers send the fields before the file; the other order is taken as well. Whatever goes
    wrong, a client that leaves included, removes the bytes.

    :param arrival: filled in on the way, for whoever must tell how far it came.
    :param announced: bytes of the whole form, which the file cannot be more than.
    :raises Unprocessable: a field is missing, doubled, or not what it should be.
    :raises BodyTooLarge: the file or a field is too long.
    :raises OverQuota: the owner's videos would weigh too much.
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
                work = partial(
                    _begin,
                    storage=storage,
                    owner_id=owner_id,
                    part=part,
                    arrival=arrival,
                    limits=limits,
                    announced=announced or 0,
                )
                upload = stores.database.write(work)
                arrival.upload = upload
                undo.callback(partial(abandon_upload, stores, storage, upload_id=upload.id))
                _store(stores, storage, part=part, arrival=arrival, upload=upload, limits=limits)
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


def _begin(
    session: Session,
    *,
    storage: MediaStorage,
    owner_id: int,
    part: Part,
    arrival: Arrival,
    limits: Limits,
    announced: int,
) -> Upload:
    if not part.file_name:
        raise Unprocessable("Choose an MP4 file.")
    lock_volume(session)
    # What a form weighs beside its file is not known; it must not keep a file out that just fits.
    promised = max(0, announced - FRAME)
    require_room(session, storage, owner_id=owner_id, more=promised, quota=limits.quota)
    upload = begin_upload(
        session,
        owner_id=owner_id,
        submission=arrival.submission,
        title=arrival.title or title_of_file(part.file_name),
        file_name=clean_file_name(part.file_name) or None,
    )
    upload.reserved = promised
    return upload


def _store(
    stores: Stores,
    storage: MediaStorage,
    *,
    part: Part,
    arrival: Arrival,
    upload: Upload,
    limits: Limits,
) -> None:
    """Write a part's bytes, once, to the upload's file."""
    left = room(storage)
    promised = upload.reserved or 0

    def arriving(make_room: Callable[[], None]) -> Iterator[Piece]:
        nonlocal promised
        arrival.make_room = make_room
        for piece in part.content:
            arrival.received += len(piece.content)
            try:
                if arrival.received > limits.max_size:
                    raise file_too_large(limits.max_size)
                if arrival.received > left:
                    raise NoRoom
                if arrival.received - promised > _STEP:
                    promised = arrival.received
                    _promise(stores, storage, upload, promised, limits)
            except BaseException:
                piece.release()
                raise
            yield piece

    hashed = hashlib.sha256()
    try:
        with _new_file(storage, upload.id) as file:
            receive(Sink(file, [hashed], direct=False), arriving, most=limits.max_size)
            if not arrival.received:
                raise Unprocessable("This file is empty.")
            if arrival.received > promised:
                _promise(stores, storage, upload, arrival.received, limits)
            native_threads.run(lambda: storage.sync(file))
    except StorageFull as error:
        raise NoRoom from error
    arrival.sha256 = hashed.hexdigest()


@contextmanager
def _new_file(storage: MediaStorage, upload_id: str) -> Iterator[BinaryIO]:
    opened = storage.create_incoming(upload_id)
    file = native_threads.run(opened.__enter__)
    try:
        yield file
    finally:
        opened.__exit__(None, None, None)


def _promise(
    stores: Stores, storage: MediaStorage, upload: Upload, total: int, limits: Limits
) -> None:
    work = partial(
        reserve_more, storage=storage, upload_id=upload.id, total=total, quota=limits.quota
    )
    stores.database.write(work)


def _submission(text: str) -> str | None:
    if text and not is_id(text):
        raise Unprocessable("The field “submission” is not what this form sends. Reload the page.")
    return text or None


def _skip(part: Part) -> None:
    """Pass over a field that is not ours, as long as it is short."""
    length = 0
    for piece in part.content:
        length += len(piece.content)
        piece.release()
        if length > FIELD_LIMIT:
            raise BodyTooLarge("A field of this form is longer than it can be.")
