"""The checks of `matinee admin storage doctor`: does a store do what Matinee needs?"""

import hashlib
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException

from common.storage.errors import (
    ObjectExists,
    ObjectMissing,
    StoreRefused,
    StoreUnavailable,
)
from common.storage.s3 import MIN_PART, S3Store

_CLOCK_LIMIT = 300  # seconds; stores refuse signatures from 15 minutes on
_PRESIGNED_FOR = 60  # seconds
_TIMEOUT = 10
_SIZE = 4096  # bytes of the object that most checks read

_ADVICE = {
    "InvalidAccessKeyId": "S3_ACCESS_KEY is not known to the store.",
    "SignatureDoesNotMatch": "S3_SECRET_KEY is not that of S3_ACCESS_KEY, or S3_REGION is wrong.",
    "AuthorizationHeaderMalformed": "S3_REGION is not the region of the bucket.",
    "NoSuchBucket": "There is no bucket called as S3_BUCKET says: make it first.",
    "NotImplemented": "The store does not have this function.",
    "AccessDenied": "The key needs the rights to read, write, list and delete in S3_BUCKET.",
    "RequestTimeTooSkewed": "The clock of this machine is wrong: set it by NTP.",
}


class CheckFailed(Exception):
    """The store answers, but not as it must; the text says what that means."""


@dataclass(frozen=True)
class Check:
    """A check and its outcome.

    :ivar problem: a sentence if it failed.
    """

    name: str
    problem: str | None = None


class StorageDoctor:
    """Checks one store, in a folder of its own below the prefix, and leaves nothing there.

    :param store: the store.
    """

    def __init__(self, store: S3Store) -> None:
        self._store = store
        self._folder = f"doctor-{secrets.token_hex(8)}/"
        self._key = self._folder + "object"
        self._content = secrets.token_bytes(_SIZE)
        # What is to be removed, also by a key that may not list.
        self._written: set[str] = set()
        self._begun: set[tuple[str, str]] = set()

    def examine(self) -> Iterator[Check]:
        """Yield the outcome of each check; after a failed `put` no other is made.

        :raises StoreUnavailable: the store does not answer.
        """
        checks: tuple[tuple[str, Callable[[], None]], ...] = (
            ("put", lambda: self._write(self._key, self._content)),
            ("get", lambda: _same(self._store.get(self._key).body, self._content)),
            ("range", lambda: self._read_range(self._key, self._content, 100, 199)),
            ("range of a small object", self._small_range),
            ("put if there is none", self._conditional_put),
            ("copy", self._copy),
            ("list", self._list),
            ("upload in two parts", self._multipart),
            ("abort an unfinished upload", self._abort),
            ("presigned address", self._presigned),
            ("private bucket", self._is_private),
            ("clock", self._clock),
            ("delete", self._delete),
        )
        try:
            for name, check in checks:
                problem = _problem(check)
                yield Check(name, problem)
                if problem and name == "put":
                    return
        finally:
            self._clean_up()

    def _small_range(self) -> None:
        key = self._folder + "small"
        self._write(key, b"four")
        self._read_range(key, b"four", 0, 1)

    def _read_range(self, key: str, content: bytes, first: int, last: int) -> None:
        answer = self._store.get(key, first=first, last=last)
        if answer.status != 206:
            raise CheckFailed(
                f"The store answers {answer.status} to a range, with {len(answer.body)} bytes,"
                " where it must answer 206: videos could not be played from it."
            )
        _same(answer.body, content[first : last + 1])

    def _conditional_put(self) -> None:
        try:
            self._store.put(self._key, b"another", overwrite=False)
        except ObjectExists:
            return
        self._store.put(self._key, self._content)
        raise CheckFailed(
            "The store ignores If-None-Match: two writers could overwrite each other."
        )

    def _copy(self) -> None:
        key = self._folder + "copy"
        self._written.add(key)
        self._store.copy(self._key, key)
        _same(self._store.get(key).body, self._content)

    def _list(self) -> None:
        if self._key not in self._store.list_keys(self._folder):
            raise CheckFailed("The list of the bucket lacks an object that has just been written.")

    def _multipart(self) -> None:
        key = self._folder + "parts"
        parts = [secrets.token_bytes(MIN_PART), b"the end"]
        self._written.add(key)
        upload = self._begin(key)
        etags = [self._store.put_part(key, upload, n, part) for n, part in enumerate(parts, 1)]
        self._store.complete_multipart(key, upload, enumerate(etags, start=1))
        _same(self._store.get(key).body, b"".join(parts))

    def _abort(self) -> None:
        key = self._folder + "unfinished"
        upload = self._begin(key)
        if not self._is_listed(key, upload):
            raise CheckFailed(
                "The list of unfinished uploads lacks one that was begun: what a crash leaves could"
                " not be found, and would cost money."
            )
        self._store.abort_multipart(key, upload)
        if self._is_listed(key, upload):
            raise CheckFailed("An unfinished upload that was aborted is still there.")

    def _is_listed(self, key: str, upload: str) -> bool:
        unfinished = self._store.list_multiparts(self._folder)
        return any((one.key, one.id) == (key, upload) for one in unfinished)

    def _presigned(self) -> None:
        url = self._store.presign(self._key, seconds=_PRESIGNED_FOR)
        status, body = _read(url, {"Range": "bytes=0-99"})
        if status != 206:
            raise CheckFailed(
                f"The store answers {status} to a range of a presigned address, where it must"
                " answer 206: nginx could not read from it."
            )
        _same(body, self._content[:100])

    def _is_private(self) -> None:
        url = self._store.presign(self._key, seconds=_PRESIGNED_FOR).partition("?")[0]
        status, _ = _read(url, {})
        if status in (200, 206):
            raise CheckFailed(
                "Anybody can read the bucket without a key: take its public access away."
            )

    def _clock(self) -> None:
        told = self._store.head(self._key).headers.get("date", "")
        try:
            moment = parsedate_to_datetime(told)
        except ValueError as error:
            raise CheckFailed("The store does not say what time it is.") from error
        apart = abs((datetime.now(UTC) - moment.astimezone(UTC)).total_seconds())
        if apart > _CLOCK_LIMIT:
            raise CheckFailed(
                f"The clocks of this machine and the store are {apart:.0f} seconds apart: set this"
                " one by NTP."
            )

    def _delete(self) -> None:
        self._store.delete(self._key)
        with suppress(ObjectMissing):
            self._store.head(self._key)
            raise CheckFailed("An object that was deleted is still there.")

    def _clean_up(self) -> None:
        for key, upload in self._begun:
            with suppress(StoreRefused, StoreUnavailable):
                self._store.abort_multipart(key, upload)
        for key in self._written:
            with suppress(StoreRefused, StoreUnavailable):
                self._store.delete(key)

    def _write(self, key: str, content: bytes) -> None:
        self._written.add(key)
        self._store.put(key, content)

    def _begin(self, key: str) -> str:
        upload = self._store.begin_multipart(key)
        self._begun.add((key, upload))
        return upload


def _problem(check: Callable[[], None]) -> str | None:
    try:
        check()
    except CheckFailed as failed:
        return str(failed)
    except StoreRefused as refused:
        said = f"The store refuses ({refused})."
        return f"{said} {_ADVICE[refused.code]}" if refused.code in _ADVICE else said
    return None


def _same(found: bytes, wanted: bytes) -> None:
    if found != wanted:
        digests = [hashlib.sha256(content).hexdigest()[:16] for content in (found, wanted)]
        raise CheckFailed(
            f"The bytes are not those that were written: {len(found)} bytes with SHA-256"
            f" {digests[0]}... instead of {len(wanted)} with {digests[1]}..."
        )


def _read(url: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """Read an address as anybody would, without a key."""
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 (the store's address)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
            return answer.status, answer.read(1 << 20)
    except urllib.error.HTTPError as error:
        return error.code, b""
    except (OSError, HTTPException) as error:
        raise StoreUnavailable(str(error)) from error
