"""Object stores for tests: real servers on free ports, each in a folder of its own."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from common.storage.errors import StoreRefused, StoreUnavailable
from common.storage.s3 import S3Store
from common.storage.s3_settings import S3Settings
from tests.conftest import free_ports, is_listening
from tests.waiting import wait_until

BUCKET = "matinee"
ACCESS_KEY, SECRET_KEY = "tests", "a secret of the tests"
PROGRAMS = Path(sys.executable).parent


@dataclass
class StoreProcess:
    """The program of a store.

    :ivar is_ready: tells whether it takes objects, some time after it was started.
    """

    command: list[str]
    log: Path
    is_ready: Callable[[], bool]
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run it, on the folder and the ports that it had before, and wait until it is ready."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command, stdout=output, stderr=output, cwd=self.log.parent
            )
        wait_until(self.is_ready, within=30, what=self.command[0])

    def kill(self) -> None:
        """End it without a warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@dataclass(frozen=True)
class ObjectStore:
    """A running store, and the settings that lead to it."""

    settings: S3Settings
    process: StoreProcess

    @property
    def environ(self) -> dict[str, str]:
        """The settings as variables."""
        return {
            "S3_ENDPOINT": self.settings.endpoint,
            "S3_BUCKET": self.settings.bucket,
            "S3_PREFIX": self.settings.prefix,
            "S3_ADDRESSING": "path",
            "S3_ACCESS_KEY": self.settings.access_key,
            "S3_SECRET_KEY": self.settings.secret_key,
        }


@contextmanager
def seaweedfs(folder: Path, *, volumes: int = 16) -> Iterator[ObjectStore]:
    """Run a SeaweedFS, which checks signatures, with an empty bucket.

    :param volumes: of 64 MiB. The space of objects that were deleted is not used again for long.
    """
    parts = ("s3", "master", "volume", "filer")
    ports = free_ports(2 * len(parts))
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin"],
    }
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}), encoding="utf-8")
    command = [str(PROGRAMS / "weed"), "server", f"-dir={folder}", "-ip=127.0.0.1"]
    command += ["-ip.bind=127.0.0.1", "-filer", "-s3", f"-s3.config={config}"]
    command += ["-s3.autoCreateBucket=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    for part, port, grpc in zip(parts, ports[::2], ports[1::2], strict=True):
        command += [f"-{part}.port={port}", f"-{part}.port.grpc={grpc}"]
    command += ["-master.volumeSizeLimitMB=64", f"-volume.max={volumes}"]
    command += ["-master.electionTimeout=1s"]  # it waits for one when it is started again
    command += ["-master.telemetry=false"]
    # With its bucket, it takes objects a moment later.
    try:
        with _running(command, ports[0], log=folder / "log", makes_bucket=True) as store:
            yield store
    finally:
        for port in ports:  # a killed one leaves its sockets, wherever its folder is
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                left.unlink(missing_ok=True)


@contextmanager
def rclone(folder: Path) -> Iterator[ObjectStore]:
    """Run `rclone serve s3`, which answers ranges of objects with all their bytes."""
    [port] = free_ports(1)
    root = folder / "files"
    (root / BUCKET).mkdir(parents=True)
    command = [str(PROGRAMS / "rclone"), "serve", "s3", str(root), f"--addr=127.0.0.1:{port}"]
    command += [f"--auth-key={ACCESS_KEY},{SECRET_KEY}", "--vfs-cache-mode=writes"]
    command += [f"--cache-dir={folder / 'cache'}", f"--config={folder / 'none.conf'}"]
    with _running(command, port, log=folder / "log", makes_bucket=False) as store:
        yield store


@contextmanager
def _running(
    command: list[str], port: int, *, log: Path, makes_bucket: bool
) -> Iterator[ObjectStore]:
    settings = S3Settings(
        endpoint=f"http://127.0.0.1:{port}",
        region="us-east-1",
        bucket=BUCKET,
        prefix="films/",
        addressing="path",
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
    )
    # Clients take longer to make than to answer that nobody listens yet.
    bucket = S3Store(settings)
    client = _client(settings)
    process = StoreProcess(
        command,
        log,
        lambda: is_listening(port) and _takes_objects(bucket, client if makes_bucket else None),
    )
    try:
        process.start()
        yield ObjectStore(settings, process)
    finally:
        process.kill()


def _takes_objects(bucket: S3Store, client: Any) -> bool:
    """Tell whether objects can be written.

    :param client: makes the bucket, if given.
    """
    try:
        if client is not None:
            with suppress(ClientError):  # it is there, or the server is not ready
                client.create_bucket(Bucket=BUCKET)
        bucket.put("ready", b"yes")
        bucket.delete("ready")
    except (StoreRefused, StoreUnavailable, BotoCoreError):
        return False
    return True


def _client(settings: S3Settings) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=settings.endpoint,
        region_name=settings.region,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )
