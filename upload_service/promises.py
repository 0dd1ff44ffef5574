"""What is settled before bytes are appended, and while they come: length, room, time to live."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from common.errors import MatineeError
from common.storage import MediaStorage
from common.stores import Stores
from db.models import Upload, now
from upload_service.lookup import find
from upload_service.reservations import Limits, file_too_large, reserve_more
from upload_service.storing import Checksum, PastTheEnd
from upload_service.uploads import UploadGone

_STEP = 64 << 20  # bytes by which a promise grows while nobody knows how many will come
_RENEWAL = 60  # seconds; a shorter stretch of life is not worth a transaction


class LengthFixed(MatineeError):
    """The length is known already, and is another."""

    def __init__(self) -> None:
        super().__init__("The length of this upload cannot be set to that.")


@dataclass(frozen=True)
class Appending:
    """What a request says of the bytes it brings.

    :ivar offset: where the client believes that the upload ends.
    :ivar size: how many bytes are coming, if that is known.
    :ivar length: of the whole upload, if it is told only now.
    """

    offset: int
    size: int | None
    length: int | None = None
    checksum: Checksum | None = None


@dataclass
class Promise:
    """Makes room for bytes of which nobody knows how many come."""

    stores: Stores
    storage: MediaStorage
    upload: Upload
    limits: Limits

    def __post_init__(self) -> None:
        self._promised = self.upload.reserved or 0

    def cover(self, end: int) -> None:
        """See to it that the upload may have so many bytes."""
        if not self._promised < end <= self.limits.max_size:
            return
        try:
            self._promised = min(end + _STEP, self.limits.max_size)
            _reserve(self.stores, self.storage, self.upload, self._promised, self.limits)
        except MatineeError:  # not so much at once, then
            self._promised = end
            _reserve(self.stores, self.storage, self.upload, self._promised, self.limits)


def prepare(
    stores: Stores,
    storage: MediaStorage,
    *,
    owner_id: int,
    upload_id: str,
    said: Appending,
    limits: Limits,
) -> Upload:
    """Read the row again, now that nobody else writes, and look whether the bytes may come.

    :raises FileNotFoundError: it has become a video since.
    :raises LengthFixed: its length is known, and is another.
    :raises PastTheEnd: more is coming than was announced.
    :raises BodyTooLarge: more is coming than a file may have.
    :raises OverQuota: the owner may not have so many bytes.
    :raises NoRoom: the volume has no room for them.
    """
    upload = stores.database.read(partial(find, owner_id=owner_id, upload_id=upload_id))
    if not isinstance(upload, Upload):
        raise FileNotFoundError
    length = said.length
    if length is not None and length != upload.length:
        if upload.length is not None or length < said.offset:
            raise LengthFixed
        if length > limits.max_size:
            raise file_too_large(limits.max_size)
        work = partial(
            _set_length, storage=storage, upload_id=upload_id, length=length, quota=limits.quota
        )
        upload = stores.database.write(work)
    if said.size is not None:
        end = said.offset + said.size
        if upload.length is not None and end > upload.length:
            raise PastTheEnd
        if end > limits.max_size:
            raise file_too_large(limits.max_size)
        if upload.length is None:
            _reserve(stores, storage, upload, end, limits)
    return upload


def _set_length(
    session: Session, *, storage: MediaStorage, upload_id: str, length: int, quota: int | None
) -> Upload:
    reserve_more(session, storage, upload_id=upload_id, total=length, quota=quota)
    upload = session.get(Upload, upload_id)
    if upload is None:
        raise UploadGone
    upload.length = upload.reserved = length
    return upload


def _reserve(
    stores: Stores, storage: MediaStorage, upload: Upload, total: int, limits: Limits
) -> None:
    work = partial(
        reserve_more, storage=storage, upload_id=upload.id, total=total, quota=limits.quota
    )
    stores.database.write(work)


def renew(stores: Stores, upload: Upload, limits: Limits) -> None:
    """Let an upload live on, as it has been written to."""
    until = now() + timedelta(seconds=limits.expires)
    least = timedelta(seconds=min(_RENEWAL, limits.expires / 10))
    if upload.expires_at is None or until - upload.expires_at > least:
        stores.database.write(partial(_set_expiry, upload_id=upload.id, until=until))
        upload.expires_at = until


def _set_expiry(session: Session, *, upload_id: str, until: datetime) -> None:
    upload = session.get(Upload, upload_id, with_for_update=True)
    if upload is None:
        raise UploadGone
    upload.expires_at = until
