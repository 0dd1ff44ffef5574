"""A running Matinee without a shared disk, on this machine: uploads go into the object store.

Standalone has no object store, so these are the programs of Compose: the three services, nginx with
the gateway's configuration, and a SeaweedFS. Nothing processes videos.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flask import Flask

from common.storage.s3 import MIN_PART
from db.engine import connect
from tests.gateway.harness import Gateway
from tests.object_stores import seaweedfs
from tests.system.deployment import WRITER, below, run_piped
from tests.upload_service.server import Server
from upload_service import app
from upload_service.upload_bytes import store

SERVICES = ("auth", "upload", "streaming")


def with_small_parts() -> Flask:
    """Return the upload service's application, with parts as small as the store allows."""
    store._PART = MIN_PART
    return app.from_environment()


class StoreOrigin:
    """What the faults of uploads need of an `Origin`."""

    def __init__(self, gateway: Gateway) -> None:
        self.url = f"http://127.0.0.1:{gateway.ports[0]}"

    def writers_end(self, upload: str) -> "subprocess.Popen[str]":
        """Find the writer by the upload's lock, which its process has open."""
        processes = [pid for pid, command in below(os.getpid()).items() if __name__ in command]
        words = [upload, *map(str, processes)]
        return run_piped([sys.executable, "-ISc", WRITER.read_text("utf-8"), *words])

    def digest_of_incoming(self, _upload: str, _count: int) -> str:
        """Return "": parts cannot be read before they are an object."""
        return ""


@contextmanager
def running(folder: Path, *, migrated: str, redis_url: str, static: Path) -> Iterator[StoreOrigin]:
    """Run one with empty stores, in a folder.

    :param migrated: the URL of an SQLite database to begin with.
    """
    shutil.copyfile(migrated.removeprefix("sqlite:///"), folder / "matinee.db")
    database = connect(f"sqlite:///{folder / 'matinee.db'}")
    for name in (*SERVICES, "store", "gateway"):
        (folder / name).mkdir()
    with ExitStack() as stack:
        stack.callback(database.engine.dispose)
        objects = stack.enter_context(seaweedfs(folder / "store", volumes=200))
        common = objects.environ | {"STORE": "s3", "UPLOAD_STORE": "s3", "TRUST_GATEWAY": "true"}
        real = {}
        for name in SERVICES:
            application = f"{name}_service.app:from_environment()"
            server = Server(
                folder / name,
                database=database,
                redis_url=redis_url,
                static=static,
                videos_dir=folder / "videos",
                settings=common | {"MAX_UPLOAD_SIZE": "64m"},
                application=f"{__name__}:with_small_parts()" if name == "upload" else application,
            )
            stack.callback(server.stop)
            real[name] = server.port
        gateway = Gateway(folder / "gateway")
        stack.callback(gateway.stop)
        gateway.videos = folder / "videos"
        gateway.render(objects.environ | {"CACHE_SIZE": "64m", "MAX_UPLOAD_SIZE": "64m"})
        gateway.use_services(real)
        gateway.start()
        yield StoreOrigin(gateway)
