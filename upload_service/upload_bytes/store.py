"""The bytes of an upload in the object store.

They are parts of a multipart upload, all of one size, and a tail: an object of its own with what
is no whole part yet. Bytes that arrive are collected in a nameless file of this host, which may be
lost. What counts is what the rows say (`upload_service.upload_bytes.rows`): a part or a tail is
written, then recorded together with the offset, and only then is the old tail deleted.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO

import gevent
import structlog

from common.errors import MatineeError
from common.storage import objects
from common.storage.errors import ObjectMissing, StoreRefused, StoreUnavailable
from common.storage.file_io import append, file_size, truncate
from common.storage.object_files import ORIGINAL_TYPE, WrongBytes, check_length
from common.storage.volume import ORIGINAL
from common.translation import gettext_noop
from upload_service.receive.writer import FileWriter
from upload_service.upload_bytes import rows
from upload_service.uploads.context import UploadContext
from upload_service.uploads.lease import Lease
from upload_service.uploads.queries import UploadExpired

_PART = 16 << 20  # bytes of a part, unless a file would have too many
_MAX_PARTS = 5000  # of a file; Amazon S3 takes numbers up to 10,000, and some are lost
_STEP = 1 << 20  # bytes; sizes of parts are multiples of it
_COPY_PIECE = 1 << 20  # bytes

log = structlog.get_logger()


class StoreAway(MatineeError):
    """The object store does not answer or refuses; the log says why."""

    status = 503
    sentence = gettext_noop(
        "The place where videos are stored does not answer. Try again in a moment."
    )
    retry_after = 10


def part_size_of(size: int) -> int:
    """Return how large the parts are of an upload that may become so large, in bytes."""
    least = -(-size // _MAX_PARTS)
    return max(_PART, -(-least // _STEP) * _STEP)


@contextmanager
def naming_store_errors(upload_id: str) -> Iterator[None]:
    """Turn what the store raises into what a client is told: :class:`StoreAway`."""
    try:
        yield
    except (StoreUnavailable, StoreRefused) as error:
        log.warning("the object store failed", upload=upload_id, detail=str(error))
        raise StoreAway from error


@contextmanager
def ending_if_lost(context: UploadContext, upload_id: str) -> Iterator[None]:
    """End an upload if the store has lost what was acknowledged, as by a rule of the bucket."""
    try:
        yield
    except ObjectMissing as error:
        log.exception("the bytes of an upload are gone", upload=upload_id)
        rows.give_up(context.database, upload_id=upload_id)
        raise UploadExpired from error


class StoreBytes:
    """See `UploadBytes`. A part is written to the store while the next one arrives."""

    def __init__(self, context: UploadContext, lease: Lease) -> None:
        self._context, self._lease = context, lease
        self._store = context.require_object_store()
        self._upload = upload = lease.upload
        self._part_size = upload.part_size or _PART
        # Where to go back to: numbers of parts that are given out later are higher.
        self._start = upload.offset or 0, upload.tail_key, upload.part_numbers or 0
        self._replaced: set[str] = set()  # tails
        self._pending: gevent.Greenlet[[], Exception | None] | None = None
        self._has_failed = False
        self._go_to_start()

    @property
    def size(self) -> int:
        return self._recorded

    def writer(self, hashes: Sequence["hashlib._Hash"] = ()) -> "_PartWriter":
        """Return a writer that hands over each part as soon as it is whole."""
        return _PartWriter(self, hashes)

    def append_file(self, source: BinaryIO, *, start: int = 0) -> None:
        source.seek(start)
        writer = self.writer()
        while piece := source.read(_COPY_PIECE):
            writer.append(piece)
        writer.flush()

    def sync(self) -> None:
        """Record all that was appended: as the last part if that completes the upload."""
        with self._failing():
            self._wait()
            end = self._base + self._collected
            if end == self._upload.length and self._base and self._collected:
                self._put_part(self._spool(), end)
                self._begin_part(end)
            elif end > self._recorded:
                self._put_tail(self._spool(), end)

    def keep(self, size: int) -> None:
        """Cut off what is not recorded and beyond a size, and record the rest."""
        if self._has_failed:
            return
        with self._failing():
            self._wait()
        if self._file is not None:
            truncate(self._file, size - self._base)
        self.sync()

    def undo(self) -> None:
        """Go back to the offset and the tail that were recorded at first."""
        with suppress(Exception):  # it does not count, whatever became of it
            self._wait()
        offset, tail_key, last_number = self._start
        rows.go_back(
            self._context.database,
            self._lease,
            last_number=last_number,
            tail_key=tail_key,
            offset=offset,
        )
        self._replace_tail(tail_key)
        self._replaced.discard(tail_key or "")
        if self._file is not None:
            self._file.close()
        self._go_to_start()

    def close(self) -> None:
        """Delete the tails that were replaced. To be called once."""
        with suppress(Exception):  # it was not acknowledged
            self._wait()
        if self._file is not None:
            self._file.close()
        for key in self._replaced:
            with suppress(StoreUnavailable, StoreRefused):  # it goes with the upload
                self._store.delete(key)

    def begin_put(self) -> None:
        """Begin to write the collected bytes, which are a part, and collect the next ones.

        :raises StoreAway: the part before could not be written.
        """
        spool, end = self._spool(), self._base + self._part_size
        with self._failing():
            self._wait()
        self._pending = gevent.spawn(self._try_put, spool, end)
        self._begin_part(end)

    def begin_writing(self, hashes: Sequence["hashlib._Hash"]) -> tuple[FileWriter, int, int]:
        """Return a writer of the collected bytes, where they begin, and the room for more."""
        spool = self._spool()
        writer = FileWriter(spool, hashes, before_write=self._lease.require)
        return writer, self._base, self._part_size - self._collected

    @property
    def _collected(self) -> int:
        """Bytes of the part that is being collected."""
        return self._tail_size if self._file is None else file_size(self._file)

    def _go_to_start(self) -> None:
        offset, tail_key, _ = self._start
        self._recorded = offset
        self._upload.tail_key = tail_key
        self._begin_part(offset - offset % self._part_size if tail_key else offset)
        self._tail_size = offset - self._base

    def _begin_part(self, base: int) -> None:
        self._base = base
        self._tail_size = 0
        self._file: BinaryIO | None = None

    def _spool(self) -> BinaryIO:
        """Return the file of the part that is being collected, with the tail's bytes in it."""
        if self._file is None:
            spool = self._context.incoming.scratch()
            if self._tail_size:
                with self._failing():
                    content = self._store.get(str(self._upload.tail_key)).body
                    if len(content) != self._tail_size:
                        raise WrongBytes(f"{self._upload.tail_key} has another length")
                append(spool, content)
            self._file = spool
        return self._file

    def _try_put(self, spool: BinaryIO, end: int) -> Exception | None:
        try:
            self._put_part(spool, end)
        except Exception as error:
            return error
        return None

    def _wait(self) -> None:
        pending, self._pending = self._pending, None
        error = pending.get() if pending is not None else None
        if error is not None:
            raise error

    def _put_part(self, spool: BinaryIO, end: int) -> None:
        """Write a part that ends at an offset, and record it."""
        database, lease, upload = self._context.database, self._lease, self._upload
        lease.require()
        if upload.multipart_key is None or upload.multipart_id is None:
            key = objects.new_key(upload.id, ORIGINAL)
            upload.multipart_id = self._store.begin_multipart(key, content_type=ORIGINAL_TYPE)
            upload.multipart_key = key
        key, multipart_id = upload.multipart_key, upload.multipart_id
        number = rows.give_number(database, lease, key=key, multipart_id=multipart_id)
        with spool:
            etag = self._store.put_part(key, multipart_id, number, spool)
        rows.record_part(database, lease, number=number, etag=etag, offset=end)
        self._recorded = end
        self._replace_tail(None)

    def _put_tail(self, spool: BinaryIO, end: int) -> None:
        self._lease.require()
        key = objects.new_key(self._upload.id, ORIGINAL)
        self._store.put(key, spool, content_type=ORIGINAL_TYPE)
        check_length(self._store, key, spool.seek(0, io.SEEK_END))
        rows.record_tail(self._context.database, self._lease, key=key, offset=end)
        self._recorded = end
        self._replace_tail(key)

    def _replace_tail(self, key: str | None) -> None:
        if self._upload.tail_key not in (None, key):
            self._replaced.add(str(self._upload.tail_key))
        self._upload.tail_key = key

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Remember that what was appended cannot all be recorded, and say so."""
        try:
            with (
                naming_store_errors(self._upload.id),
                ending_if_lost(self._context, self._upload.id),
            ):
                yield
        except BaseException:
            self._has_failed = True
            raise


class _PartWriter:
    """Appends pieces; see `Writer`."""

    def __init__(self, target: StoreBytes, hashes: Sequence["hashlib._Hash"]) -> None:
        self._target, self._hashes = target, hashes
        self._writer, self._base, self._room = target.begin_writing(hashes)

    @property
    def end(self) -> int:
        return self._base + self._writer.end

    def append(self, piece: bytes) -> None:
        """Have a piece written; wait while two parts are on their way."""
        while len(piece) >= self._room:
            self._writer.append(piece[: self._room])
            piece = piece[self._room :]
            self._writer.flush()
            self._target.begin_put()
            self._writer, self._base, self._room = self._target.begin_writing(self._hashes)
        if piece:
            self._writer.append(piece)
            self._room -= len(piece)

    def flush(self) -> None:
        self._writer.flush()
