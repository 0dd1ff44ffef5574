"""Which host this is, and whether an upload's file or its row tells how far the upload is."""

import functools
import hashlib
import os
import secrets
from pathlib import Path

from common.storage import IncomingStore
from db.models import Upload

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def host_of(incoming: IncomingStore) -> str:
    """Return a name that two processes share if locks of a file work between them for sure.

    That is one running kernel, in whatever containers, and one folder of one mounted file system. A
    file system of the network that is mounted twice may keep locks for each mount.
    """
    where = f"{boot_id()}:{incoming.identity()}"
    return hashlib.sha256(where.encode()).hexdigest()[:32]


def process_of(host: str) -> str:
    """Return the name of this process on a host; at most 64 characters of ASCII."""
    return f"{host}:{_process(os.getpid())}"


def nobody_of(host: str) -> str:
    """Return what stands for a process that has ended or given back its lease."""
    return f"{host}:"


def is_on(host: str, process: str | None) -> bool:
    """Tell whether a process is on a host."""
    return process is not None and process.rpartition(":")[0] == host


def is_of_this_host(incoming: IncomingStore, upload: Upload) -> bool:
    """Tell whether no other host has ever written to an upload; then its file's size is true."""
    if upload.part_size is not None:
        return False
    never_held = upload.locked_by is None
    return never_held or (not upload.fence and is_on(host_of(incoming), upload.locked_by))


def arrived_bytes(incoming: IncomingStore, upload: Upload) -> int | None:
    """Return how many bytes of an upload count, synced or not; None if it has no file."""
    if upload.part_size is not None:
        return upload.offset
    size = incoming.incoming_size(upload.id)
    return size if size is None or is_of_this_host(incoming, upload) else upload.offset


@functools.cache
def boot_id() -> str:
    """Return what the kernel calls its present run, or a random name where it has none."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return secrets.token_hex(16)


@functools.cache
def _process(_pid: int) -> str:  # a fork is another process
    return secrets.token_hex(4)
