"""A bucket of an object store that speaks the S3 protocol, through boto3.

boto3 is an extra (`requirements/s3.txt`), and only this module imports it. Its own checksums are
switched off where the protocol does not need them: some stores keep the `aws-chunked` framing of
such requests as part of the object. Whoever puts an object reads it back instead.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from common.storage.errors import ObjectExists, ObjectMissing, StoreRefused, StoreUnavailable
from common.storage.s3_settings import S3Settings
from db import native_threads

MIN_PART = 5 << 20
"""Bytes of each part of a multipart upload but the last, at least (Amazon S3's limit)."""

_CONNECT_TIMEOUT = 5  # seconds
_READ_TIMEOUT = 30
_ATTEMPTS = 3
_PIECE = 1 << 20  # bytes
_CONNECTIONS = 64  # that are kept open between requests
_MISSING = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchUpload"})
_EXISTS = frozenset({"412", "PreconditionFailed", "ConditionalRequestConflict"})
_NOT_IMPLEMENTED = 501  # of HTTP: trying again would not help
_BUSY = frozenset({"SlowDown", "RequestTimeout", "Throttling", "TooManyRequests"})


Content = bytes | BinaryIO
"""What is written to an object: bytes, or an open file from its start."""


@dataclass(frozen=True)
class StoreAnswer:
    """An answer of the store.

    :ivar status: of HTTP: 206 for a range that the store has honoured.
    :ivar headers: with names in lower case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class UnfinishedUpload:
    """An upload in parts that was neither completed nor aborted.

    :ivar id: the store's.
    :ivar begun: when, by the store's clock.
    """

    key: str
    id: str
    begun: datetime


class S3Store:
    """One bucket. Keys are those below the settings' prefix.

    Every method raises :class:`StoreUnavailable` if the store does not answer or is busy after
    three tries, and :class:`StoreRefused` if it refuses.
    """

    def __init__(self, settings: S3Settings) -> None:
        self._settings = settings
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=settings.endpoint,
            region_name=settings.region,
            aws_access_key_id=settings.access_key,
            aws_secret_access_key=settings.secret_key,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": settings.addressing},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                connect_timeout=_CONNECT_TIMEOUT,
                read_timeout=_READ_TIMEOUT,
                retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
                max_pool_connections=_CONNECTIONS,
            ),
        )
        self._encryption = (
            {"ServerSideEncryption": settings.encryption} if settings.encryption else {}
        )

    def put(
        self,
        key: str,
        content: Content,
        *,
        overwrite: bool = True,
        content_type: str | None = None,
    ) -> None:
        """Write a whole object.

        :param overwrite: whether it may replace another; if not, `If-None-Match: *` is sent.
        :raises ObjectExists: it would replace another.
        """
        given = {"ContentMD5": _md5(content)} | ({} if overwrite else {"IfNoneMatch": "*"})
        if content_type is not None:
            given["ContentType"] = content_type
        with _named_errors():
            self._client.put_object(**self._where(key), Body=content, **given, **self._encryption)

    def get(self, key: str, *, first: int = 0, last: int | None = None) -> StoreAnswer:
        """Read an object, or the bytes from `first` to `last`, both included.

        :raises ObjectMissing: there is none.
        """
        span = {} if last is None else {"Range": f"bytes={first}-{last}"}
        with _named_errors():
            found = self._client.get_object(**self._where(key), **span)
            return _answer(found, found["Body"].read())

    def head(self, key: str) -> StoreAnswer:
        """Ask for an object's headers; `content-length` is its size in bytes.

        :raises ObjectMissing: there is none.
        """
        with _named_errors():
            return _answer(self._client.head_object(**self._where(key)))

    def copy(self, source: str, key: str) -> None:
        """Copy an object of at most 5 GB within the bucket.

        :raises ObjectMissing: there is none.
        """
        with _named_errors():
            self._client.copy_object(
                **self._where(key), CopySource=self._where(source), **self._encryption
            )

    def delete(self, key: str) -> None:
        """Delete an object; one that is gone already is fine."""
        with _named_errors():
            self._client.delete_object(**self._where(key))

    def list_keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with something."""
        start = len(self._settings.prefix)
        for page in self._pages("list_objects_v2", prefix):
            yield from (found["Key"][start:] for found in page.get("Contents", ()))

    def presign(self, key: str, *, seconds: int) -> str:
        """Return an address with which anybody can read an object for some time."""
        where = self._where(key)
        return str(
            self._client.generate_presigned_url("get_object", Params=where, ExpiresIn=seconds)
        )

    def begin_multipart(self, key: str, *, content_type: str | None = None) -> str:
        """Begin an object that is uploaded in parts, and return the id of its upload."""
        given = {} if content_type is None else {"ContentType": content_type}
        with _named_errors():
            begun = self._client.create_multipart_upload(
                **self._where(key), **given, **self._encryption
            )
        return str(begun["UploadId"])

    def put_part(self, key: str, upload_id: str, number: int, content: Content) -> str:
        """Upload a part, and return its ETag.

        :param number: 1 to 10,000.
        :param content: at least :data:`MIN_PART`, unless it is the last.
        """
        with _named_errors():
            done = self._client.upload_part(
                **self._where(key),
                UploadId=upload_id,
                PartNumber=number,
                Body=content,
                ContentMD5=_md5(content),
            )
        return str(done["ETag"])

    def complete_multipart(
        self, key: str, upload_id: str, parts: Iterable[tuple[int, str]]
    ) -> None:
        """Make an object of parts, each with its number and its ETag, in the order of numbers.

        :raises ObjectMissing: there is no such upload, or it is completed already.
        """
        named = [{"PartNumber": number, "ETag": etag} for number, etag in parts]
        with _named_errors():
            self._client.complete_multipart_upload(
                **self._where(key), UploadId=upload_id, MultipartUpload={"Parts": named}
            )

    def abort_multipart(self, key: str, upload_id: str) -> None:
        """Give up an unfinished upload and the parts that it has."""
        with _named_errors():
            self._client.abort_multipart_upload(**self._where(key), UploadId=upload_id)

    def list_multiparts(self, prefix: str) -> Iterator[UnfinishedUpload]:
        """Yield each unfinished upload whose key begins with something."""
        start = len(self._settings.prefix)
        for page in self._pages("list_multipart_uploads", prefix):
            for one in page.get("Uploads", ()):
                yield UnfinishedUpload(one["Key"][start:], one["UploadId"], one["Initiated"])

    def _where(self, key: str) -> dict[str, str]:
        return {"Bucket": self._settings.bucket, "Key": self._settings.prefix + key}

    def _pages(self, operation: str, prefix: str) -> Iterator[Mapping[str, Any]]:
        where = {"Bucket": self._settings.bucket, "Prefix": self._settings.prefix + prefix}
        with _named_errors():
            yield from self._client.get_paginator(operation).paginate(**where)


def _md5(content: Content) -> str:
    """Return what the store compares with the bytes that it gets (RFC 1864)."""

    def digest() -> bytes:
        if isinstance(content, bytes):
            return hashlib.md5(content, usedforsecurity=False).digest()
        found = hashlib.md5(usedforsecurity=False)
        content.seek(0)
        while piece := content.read(_PIECE):
            found.update(piece)
        content.seek(0)
        return found.digest()

    return base64.b64encode(native_threads.run(digest)).decode()


def _answer(found: Mapping[str, Any], body: bytes = b"") -> StoreAnswer:
    about = found["ResponseMetadata"]
    return StoreAnswer(about["HTTPStatusCode"], about["HTTPHeaders"], body)


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        found: Any = error.response
        code, message = str(found["Error"].get("Code")), found["Error"].get("Message", "")
        status = found["ResponseMetadata"]["HTTPStatusCode"]
        if (status >= 500 and status != _NOT_IMPLEMENTED) or code in _BUSY:
            raise StoreUnavailable(f"{code}: {message}") from error
        if code in _MISSING:
            raise ObjectMissing(code, message) from error
        if code in _EXISTS:
            raise ObjectExists(code, message) from error
        raise StoreRefused(code, message) from error
    except BotoCoreError as error:
        raise StoreUnavailable(str(error)) from error
