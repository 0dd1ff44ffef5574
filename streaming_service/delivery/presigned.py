"""Addresses with which the gateway reads files from the object store."""

import time
from functools import lru_cache
from urllib.parse import urlsplit

from common.storage.s3 import S3Store

_WINDOW = 15 * 60  # seconds for which a process gives the same address
# Seconds for which an address works. The answer to a request for a whole file is read in slices, so
# the last one may be asked for hours later. Nobody but the gateway sees an address.
_VALID = 12 * 3600
_KEPT = 4096  # addresses


class PresignedUrls:
    """The addresses of objects, each made once in a quarter of an hour."""

    def __init__(self, store: S3Store) -> None:
        self._store = store
        self._made = lru_cache(maxsize=_KEPT)(self._make)

    def path_of(self, key: str) -> str:
        """Return path and query of an object's address, which anybody could read it with."""
        return self._made(key, int(time.monotonic() // _WINDOW))

    def _make(self, key: str, _window: int) -> str:
        url = urlsplit(self._store.presign(key, seconds=_VALID))
        return f"{url.path}?{url.query}"
