"""The upload service as it runs on another host: of another kernel, whose locks do not reach here.

Leases are short, so that tests wait for less, and so are parts of uploads in the object store.
"""

import fcntl
import os
import struct
from datetime import timedelta
from typing import BinaryIO

from flask import Flask

from common.storage.s3 import MIN_PART
from upload_service import app
from upload_service.upload_bytes import store
from upload_service.uploads import host, lease


def on(name: str) -> Flask:
    """Return the application as it is on a host of this name."""
    host.boot_id = lambda: name  # type: ignore[assignment]
    fcntl.flock = lambda file, _operation: _lock(file, name)
    lease.LEASE = timedelta(seconds=3)
    lease._RENEW, lease._MARGIN = 0.5, 1.0
    store._PART = MIN_PART
    return app.from_environment()


def _lock(file: BinaryIO, name: str) -> None:
    """Lock a file for the processes of one host only: a byte far away that is the host's."""
    place = (1 << 40) + int.from_bytes(name.encode()[:4])
    wanted = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0)
    fcntl.fcntl(file.fileno(), fcntl.F_OFD_SETLK, wanted)
