"""Quotas as people write and read them."""

import re
from decimal import Decimal

from common.errors import Unprocessable
from common.translation import gettext_noop
from db.models import NO_QUOTA

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


class InvalidQuota(Unprocessable):
    """What was typed is no size."""

    sentence = gettext_noop(
        "That is no size. Write it like 20 GB or 500 MB, or “no limit”, or leave it "
        "empty for what everybody may store."
    )


def parse_quota(text: str) -> int | None:
    """Read a quota: bytes; None for an empty text, which is what everybody may store.

    :raises InvalidQuota: it is neither a size with its unit, nor "no limit", nor nothing.
    """
    words = " ".join(text.split()).lower()
    if not words:
        return None
    if words == _NONE:
        return NO_QUOTA
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,3})?) ?([a-z]*)", words)
    if match is None or match[2] not in _UNITS or (match[2] == "" and Decimal(match[1]) != 0):
        raise InvalidQuota
    quota = int(Decimal(match[1]) * _UNITS[match[2]])
    if quota >= NO_QUOTA:
        raise InvalidQuota
    return quota


def format_quota(quota: int | None) -> str:
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
