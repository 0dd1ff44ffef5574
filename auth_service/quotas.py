"""How much an account may store, as people write and read it, and how much it stores."""

import re
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from common.errors import Unprocessable
from db.models import NO_QUOTA, Upload, User, Video

# As disks are sold and `filesize` says them, in powers of ten; with an `i`, in powers of two.
_UNITS = {
    "": 1,
    "byte": 1,
    "bytes": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
}
_NAMES = {"tb": "TB", "gb": "GB", "mb": "MB", "kb": "kB", "tib": "TiB", "gib": "GiB", "mib": "MiB"}
_NONE = "no limit"


class NotAQuota(Unprocessable):
    """What was typed is no size."""

    def __init__(self) -> None:
        super().__init__(
            "That is no size. Write it like 20 GB or 500 MB, or “no limit”, or leave it empty for "
            "what everybody may store."
        )


def parse_quota(text: str) -> int | None:
    """Read a quota: bytes; None for an empty text, which is what everybody may store.

    :raises NotAQuota: it is neither a size with its unit, nor "no limit", nor nothing.
    """
    words = " ".join(text.split()).lower()
    if not words:
        return None
    if words == _NONE:
        return NO_QUOTA
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,3})?) ?([a-z]*)", words)
    if match is None or match[2] not in _UNITS or (match[2] == "" and Decimal(match[1]) != 0):
        raise NotAQuota
    quota = int(Decimal(match[1]) * _UNITS[match[2]])
    if quota >= NO_QUOTA:
        raise NotAQuota
    return quota


def quota_text(quota: int | None) -> str:
    """Write a quota so that :func:`parse_quota` reads the same: `20 GB`, `no limit`, nothing."""
    if quota is None:
        return ""
    if quota == NO_QUOTA:
        return _NONE
    for unit, name in _NAMES.items():
        thousandths, rest = divmod(quota * 1000, _UNITS[unit])
        if 1000 <= thousandths < 1_000_000 and rest == 0:
            return f"{Decimal(thousandths) / 1000:f} {name}"
    return f"{quota} bytes"


@dataclass(frozen=True)
class Storage:
    """What an account stores and may store, in bytes.

    :ivar reserved: promised to its unfinished uploads, whether or not it has arrived.
    :ivar own_quota: its own; None is what everybody may.
    :ivar quota: that holds for it; None is any amount.
    """

    videos: int
    reserved: int
    own_quota: int | None
    quota: int | None

    @property
    def used(self) -> int:
        """What counts towards the quota."""
        return self.videos + self.reserved

    @property
    def own_text(self) -> str:
        """The account's own quota as it is typed."""
        return quota_text(self.own_quota)


def make_storage(*, videos: int, reserved: int, own: int | None, everybody: int | None) -> Storage:
    """Work out which quota holds.

    :param own: the account's own quota.
    :param everybody: the one of accounts without their own (`QUOTA`); None is none.
    """
    holds = everybody if own is None else own
    return Storage(videos, reserved, own, None if holds == NO_QUOTA else holds)


def storage_of(session: Session, *, user_id: int, everybody: int | None) -> Storage:
    """Return what somebody stores: the numbers that uploads are held to."""
    mine = (Video.owner_id == user_id, Video.deleted_at.is_(None))
    videos = select(func.coalesce(func.sum(Video.size), 0)).where(*mine).scalar_subquery()
    promised = select(func.coalesce(func.sum(Upload.reserved), 0))
    reserved = promised.where(Upload.owner_id == user_id).scalar_subquery()
    row = session.execute(
        select(User.quota, videos, reserved).where(User.id == user_id)
    ).one_or_none()
    own, stored, kept = row or (None, 0, 0)
    return make_storage(videos=int(stored), reserved=int(kept), own=own, everybody=everybody)
