"""Appending to an upload at an offset.

The bytes are synced, and their number is recorded, before a client is told. While one host alone
has written to a file of the volume, its size is the truth.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from common.errors import Conflict, MatineeError
from common.storage import StorageFull
from common.translation import gettext_noop
from db.engine import DatabaseUnavailable, transaction
from db.models import Upload, now
from upload_service.receive.append_pieces import (
    Checksum,
    LengthExceeded,
    append_checked,
    append_pieces,
)
from upload_service.upload_bytes.store import StoreAway
from upload_service.uploads.checksums import checksums
from upload_service.uploads.context import UploadContext
from upload_service.uploads.finish import finish_if_complete, finish_upload
from upload_service.uploads.lease import Superseded, record
from upload_service.uploads.lock import ActiveWriter, LockedUpload, exclusive_writer, supersedable
from upload_service.uploads.queries import UploadExpired, UploadStatus, find, status_of
from upload_service.uploads.quota import (
    InsufficientStorage,
    extend_reservation,
    file_too_large,
    require_size,
    reserve_ahead,
)

_MIN_RENEWAL = 60  # seconds; an expiry that moves by less is not worth a transaction


class NotAppendable(MatineeError):
    """A concatenated upload takes no bytes of its own."""

    status = 403
    sentence = gettext_noop("This upload is put together of others. Nothing can be added to it.")


class WrongOffset(Conflict):
    """The bytes would not begin where the file ends."""

    sentence = gettext_noop("These bytes do not begin where the upload ends. Ask for its offset.")


class LengthFixed(MatineeError):
    """The length is known already, and is another."""

    sentence = gettext_noop("The length of this upload cannot be set to that.")


@dataclass(frozen=True)
class AppendRequest:
    """The bytes that a request brings, and what it says of them.

    :ivar pieces: the bytes as they arrive.
    :ivar interrupt: ends the wait for the next piece, from another thread.
    :ivar offset: where the client believes that the upload ends.
    :ivar size: how many bytes are coming, None if that is unknown.
    :ivar length: of the whole upload, if it is told only now.
    """

    pieces: Iterator[bytes]
    interrupt: Callable[[], None]
    offset: int
    size: int | None
    length: int | None = None
    checksum: Checksum | None = None


def append(context: UploadContext, upload_id: str, request: AppendRequest) -> UploadStatus:
    """Append bytes to an upload, sync them, and finish the upload if they complete it.

    What arrived before an error is kept, synced; but nothing is kept of too many bytes, or of
    bytes with a checksum that did not all arrive and match.

    :raises NotFound: the account has no such upload.
    :raises NotAppendable: it is concatenated of others.
    :raises WrongOffset: it ends somewhere else.
    :raises LengthFixed: its length is known, and is another.
    :raises LengthExceeded: more comes than was announced.
    :raises ChecksumMismatch: the bytes are not what the checksum says.
    :raises UploadLocked: another request is writing.
    :raises Superseded: a newer request continues.
    :raises QuotaExceeded: the account may not have so many bytes.
    :raises InsufficientStorage: the volume is full.
    :raises NotAVideo: the upload is complete, and cannot be played; it is gone.
    """
    found = find(context.database, owner_id=context.owner_id, upload_id=upload_id)
    if isinstance(found, Upload):
        if found.parts is not None:
            raise NotAppendable
        with exclusive_writer(context, upload_id) as locked:
            if locked is not None:
                if locked.bytes.size != request.offset:
                    raise WrongOffset
                _prepare(context, locked.upload, request)
                try:
                    end = receive(context, locked, request)
                except MatineeError:
                    with suppress(DatabaseUnavailable, UploadExpired, Superseded):
                        _record(context, locked, request, locked.bytes.size)
                    raise
                _record(context, locked, request, end)
                return finish_if_complete(context, locked.upload, end)
    return _confirm_complete(context, upload_id, request)


def receive(context: UploadContext, locked: LockedUpload, request: AppendRequest) -> int:
    """Append a request's bytes to an upload, and sync them; return its size.

    :raises BodyTooLarge: the file would be larger than any may be.
    :raises MatineeError: as for :func:`append`.
    """
    upload = locked.upload
    writer = ActiveWriter(upload.id, request.interrupt)
    max_bytes = context.settings.max_upload_size if upload.length is None else upload.length
    before = checksums.take(upload.id, request.offset, fence=upload.fence)
    sha256 = before.copy() if before else None
    with supersedable(context.stores.redis, writer):
        pieces = _pieces(context, upload, request, writer)
        try:
            if request.checksum is None:
                end = append_pieces(locked.bytes, pieces, max_bytes=max_bytes, sha256=sha256)
            else:
                end = append_checked(
                    context.incoming,
                    locked.bytes,
                    pieces,
                    max_bytes=max_bytes,
                    checksum=request.checksum,
                    sha256=sha256,
                )
        except (MatineeError, StorageFull) as error:
            kept = locked.bytes.size
            hashed = before if kept == request.offset else sha256
            if kept != request.offset and isinstance(error, StoreAway):
                hashed = None  # it has bytes that are not kept
            checksums.keep(upload.id, kept, hashed, fence=upload.fence)
            if isinstance(error, StorageFull):
                raise InsufficientStorage from error
            if isinstance(error, LengthExceeded) and upload.length is None:
                raise file_too_large(max_bytes) from error
            raise
    checksums.keep(upload.id, end, sha256, fence=upload.fence)
    return end


def _pieces(
    context: UploadContext, upload: Upload, request: AppendRequest, writer: ActiveWriter
) -> Iterator[bytes]:
    """Yield what arrives, counted, with space reserved for it."""
    if request.size == 0:
        return
    reserved = None
    if upload.length is None and request.size is None:
        reserved = upload.reserved or 0
    for piece in request.pieces:
        if writer.superseded:
            raise Superseded  # the newer request was told an offset without this piece
        writer.arrived += len(piece)
        end = request.offset + writer.arrived
        if reserved is not None and reserved < end <= context.settings.max_upload_size:
            reserved = reserve_ahead(context, upload.id, end)
        yield piece


def _prepare(context: UploadContext, upload: Upload, request: AppendRequest) -> None:
    """Check that the bytes may come, and record the length that they tell.

    :param upload: the row as it is now that nobody else writes.
    """
    if upload.expires_at is None or upload.expires_at <= now():
        raise UploadExpired
    length = request.length
    if length is not None and length != upload.length:
        if upload.length is not None or length < request.offset:
            raise LengthFixed
        require_size(context, length)
        extend_reservation(
            context.database, context=context, upload_id=upload.id, total_bytes=length
        )
        _set_length(context.database, upload_id=upload.id, length=length)
        upload.length = upload.reserved = length
    if request.size is not None:
        end = request.offset + request.size
        if upload.length is not None and end > upload.length:
            raise LengthExceeded
        require_size(context, end)
        if upload.length is None:
            extend_reservation(
                context.database, context=context, upload_id=upload.id, total_bytes=end
            )


@transaction(writes=True)
def _set_length(session: Session, *, upload_id: str, length: int) -> None:
    upload = session.get(Upload, upload_id, with_for_update=True)
    if upload is None:
        raise UploadExpired
    upload.length = upload.reserved = length


def _record(
    context: UploadContext, locked: LockedUpload, request: AppendRequest, offset: int
) -> None:
    """Record how far an upload is, and move its expiry if it has been written to.

    The lease is given back unless the upload is to be finished.
    """
    upload = locked.upload
    expires = context.settings.upload_expires
    until = now() + timedelta(seconds=expires)
    least = timedelta(seconds=min(_MIN_RENEWAL, expires / 10))
    moves = offset > request.offset and (
        upload.expires_at is None or until - upload.expires_at > least
    )
    record(
        context.database,
        locked.lease,
        offset=offset,
        release=offset != upload.length or bool(upload.is_part),
        expires_at=until if moves else None,
    )
    if moves:
        upload.expires_at = until


def _confirm_complete(
    context: UploadContext, upload_id: str, request: AppendRequest
) -> UploadStatus:
    """Answer a client that lost the last answer: the upload has all its bytes."""
    status = status_of(context, upload_id)
    if status.parts:
        raise NotAppendable
    if request.offset != status.offset:
        raise WrongOffset
    if request.size != 0:
        raise LengthExceeded
    if status.video is None and status.upload is not None:
        video = finish_upload(context, status.upload)
        return UploadStatus(status.upload, video.size, video.size, video)
    return status
