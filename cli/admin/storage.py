"""`storage doctor`: the object store, for whoever runs the machine."""

import argparse
import os

from cli.admin.command import Command, CommandRefused, Result
from common.settings import Environment
from common.storage.s3_settings import S3Settings


def doctor(given: argparse.Namespace) -> Result:
    """Check whether the object store of the settings does what Matinee needs.

    :raises CommandRefused: boto3 is not installed, or a check has failed.
    :raises StoreUnavailable: the store does not answer.
    """
    settings = S3Settings.read(Environment(os.environ))
    try:
        from cli.admin.storage_doctor import StorageDoctor  # noqa: PLC0415 (it needs boto3)
        from common.storage.s3 import S3Store  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise CommandRefused(
            "boto3 is not installed here. With Compose: docker compose run --rm storage-doctor."
            " Elsewhere: .venv/bin/pip install --require-hashes -r requirements/s3.txt"
        ) from error
    checks = list(StorageDoctor(S3Store(settings)).examine())
    told = "\n".join(f"{check.name}: {check.problem or 'ok'}" for check in checks)
    data = {"checks": {check.name: check.problem or "ok" for check in checks}}
    if any(check.problem for check in checks):
        raise CommandRefused(told, data)
    return Result(told, data)


def _no_arguments(_parser: argparse.ArgumentParser) -> None:
    """Everything is in the settings."""


COMMANDS = (
    Command("storage doctor", "check the object store of the settings S3_*", _no_arguments, doctor),
)
