"""`storage ...`: where the files of videos are, for whoever runs the machine."""

import argparse
import importlib.util
import os
import sys
import threading
import time
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from cli.admin.command import CommandRefused, Result, add_command
from common.formatting import filesize
from common.settings import Environment, SettingsError
from common.storage import StorageFull
from common.storage.movable import MovableFiles
from common.storage.object_files import ObjectFiles
from common.storage.s3_settings import S3Settings
from common.storage.store_settings import Store
from common.stores import Stores

if TYPE_CHECKING:
    from upload_service.mover.bulk import BulkMove
    from upload_service.settings import UploadSettings

_EXAMPLES = 20  # lines of what is wrong that are printed; `--json` has all


def doctor(_given: argparse.Namespace) -> Result:
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
            "boto3 is not installed here. With Compose: docker compose exec janitor matinee admin"
            " storage doctor. Elsewhere: .venv/bin/pip install --require-hashes -r"
            " requirements/s3.txt"
        ) from error
    outcomes = StorageDoctor(S3Store(settings)).examine()
    checks = {check.name: check.problem or "ok" for check in outcomes}
    told = "\n".join(f"{name}: {outcome}" for name, outcome in checks.items())
    if set(checks.values()) != {"ok"}:
        raise CommandRefused(told, {"checks": checks})
    return Result(told, {"checks": checks})


def status(_given: argparse.Namespace) -> Result:
    """Count the files of each store, and those that wait or are left over."""
    from upload_service.mover.survey import storage_status  # noqa: PLC0415 (see add_commands)

    site = _Site.of_environment()
    found = storage_status(site.stores.database, site.disk)
    default = site.settings.store.default
    waiting = found.disk if default is Store.S3 else None
    lines = {
        "on the disk alone": found.disk,
        "of these waiting for the object store": waiting,
        "in the object store": found.current,
        "of these on the disk as well": found.leftovers,
        "being written to the object store": found.writing,
        "replaced objects": found.retired,
    }
    told = [f"Files of new videos end up in: {default}"]
    told += [
        f"{name}: {amount.files} files, {filesize(amount.bytes)}"
        for name, amount in lines.items()
        if amount is not None
    ]
    data = {
        "default": default.value,
        **asdict(found),
        "waiting": asdict(waiting) if waiting else {"files": 0, "bytes": 0},
    }
    return Result("\n".join(told), data)


def move(given: argparse.Namespace) -> Result:
    """Move the files of one video, or of all, to a store.

    :raises CommandRefused: there is no such video, the disk has no space, some file could not be
        moved, or the janitor would move everything back.
    :raises StoreUnavailable: the object store does not answer; what was moved stays moved.
    """
    from upload_service.mover.bulk import is_known, move_files  # noqa: PLC0415
    from upload_service.mover.move import Mover  # noqa: PLC0415
    from upload_service.mover.pace import Pace  # noqa: PLC0415

    site, to = _Site.of_environment(), Store(given.to)
    files = site.files()
    if to is Store.DISK and site.settings.store.default is Store.S3:
        raise CommandRefused(
            "STORE is s3, so the janitor would move the files to the object store again. Set"
            " STORE=disk first, and start the services anew."
        )
    for video_id in given.video or ():
        if not is_known(site.stores.database, video_id=video_id):
            raise CommandRefused(f"There is no video {video_id}.")
    pace = Pace(
        threading.Event(),
        rate=lambda: site.stores.site.current().move_rate,
        is_paused=lambda: False,
    )
    try:
        done = move_files(
            Mover(site.stores, site.disk, files),
            pace,
            to,
            video_ids=given.video,
            tell=partial(_tell_progress, time.monotonic()),
        )
    except StorageFull as error:
        raise CommandRefused(f"The disk is full: {error}. What was moved stays moved.") from error
    where = "object store" if to is Store.S3 else "disk"
    told = f"{done.moved_files} files, {filesize(done.moved_bytes)}, were moved to the {where}."
    data = {"files": done.moved_files, "bytes": done.moved_bytes, "failed": done.failed}
    if done.failed:
        failed = [f"{file}: {problem}" for file, problem in done.failed.items()]
        raise CommandRefused("\n".join([told, "These could not be moved:", *_some(failed)]), data)
    return Result(told, data)


def verify(given: argparse.Namespace) -> Result:
    """Check that every file is where its row says, and every original somewhere.

    :raises CommandRefused: something is missing or wrong.
    :raises StoreRefused: the object store refuses to be read.
    :raises StoreUnavailable: the object store does not answer.
    """
    from upload_service.mover import survey  # noqa: PLC0415

    site = _Site.of_environment()
    checked, wrong = 0, dict[str, str]()
    database, files = site.stores.database, site.files()
    for video_id, name, problem in survey.verify(
        database, site.disk, files, full=given.full, video_ids=given.video
    ):
        checked += 1
        if problem:
            wrong[f"{video_id}/{name}"] = problem
    data = {"checked": checked, "wrong": wrong}
    if wrong:
        lines = [f"{file}: {problem}" for file, problem in wrong.items()]
        raise CommandRefused(
            "\n".join([f"{len(wrong)} of {checked} are wrong:", *_some(lines)]), data
        )
    return Result(f"{checked} objects were checked; all is well.", data)


def clean(given: argparse.Namespace) -> Result:
    """List the objects that no row knows, and remove those that nobody needs if so asked.

    :raises StoreRefused: the object store refuses.
    :raises StoreUnavailable: the object store does not answer.
    """
    from upload_service.mover.survey import StrayKind, strays  # noqa: PLC0415

    site = _Site.of_environment()
    files = site.files()
    found: dict[StrayKind, list[str]] = {kind: [] for kind in StrayKind}
    removed = 0
    for key, kind in strays(site.stores.database, site.disk, files):
        found[kind].append(key)
        if given.remove and kind is not StrayKind.UNKNOWN:
            files.store.delete(key)
            removed += 1
    lines = []
    for kind, keys in found.items():
        lines += [f"{kind}: {len(keys)}", *(f"  {line}" for line in _some(keys))]
    end = f"{removed} were removed." if given.remove else "Nothing was removed; --remove does."
    data = {kind.value: keys for kind, keys in found.items()} | {"removed": removed}
    return Result("\n".join([*lines, end]), data)


@dataclass(frozen=True)
class _Site:
    """The site of the environment."""

    settings: "UploadSettings"
    stores: Stores
    disk: MovableFiles

    @classmethod
    def of_environment(cls) -> "_Site":
        from upload_service.settings import UploadSettings  # noqa: PLC0415

        settings = UploadSettings.read(Environment(os.environ))
        stores = Stores.of(settings.common)
        return cls(settings, stores, MovableFiles(settings.videos_dir))

    def files(self) -> ObjectFiles:
        """:raises SettingsError: there is no object store, or boto3 is not installed."""
        store = self.settings.store.connect()
        if store is None:
            raise SettingsError("S3_BUCKET is not set, so there is no object store.")
        return ObjectFiles(self.stores.database, store)


def _tell_progress(began: float, state: "BulkMove") -> None:
    speed = state.done_bytes / max(time.monotonic() - began, 0.001)
    minutes, seconds = divmod(round((state.bytes - state.done_bytes) / max(speed, 1)), 60)
    print(
        f"{state.done_files} of {state.files} files,"
        f" {filesize(state.done_bytes)} of {filesize(state.bytes)},"
        f" {filesize(round(speed))}/s, {minutes}:{seconds:02} left",
        file=sys.stderr,
    )


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - _EXAMPLES
    return lines if more <= 0 else [*lines[:_EXAMPLES], f"and {more} more"]


def add_commands(commands: Any) -> None:
    """Add the commands of this module; those of the mover where the upload service is."""
    group = commands.add_parser("storage", help="commands of the storage")
    commands = group.add_subparsers(dest="subcommand", required=True)
    add_command(commands, "doctor", doctor, summary="check the object store of the settings S3_*")
    if importlib.util.find_spec("upload_service") is None:
        return
    add_command(commands, "status", status, summary="count the files of each store")
    parser = add_command(commands, "move", move, summary="move files to a store")
    parser.add_argument("--to", choices=[store.value for store in Store], required=True)
    parser.add_argument("--video", metavar="ID", nargs=1, help="this video alone")
    parser = add_command(
        commands, "verify", verify, summary="check that every file is in its place"
    )
    parser.add_argument("--video", metavar="ID", nargs=1, help="this video alone")
    parser.add_argument("--full", action="store_true", help="read every object, to compare it")
    parser = add_command(commands, "clean", clean, summary="list objects that nobody knows")
    parser.add_argument("--remove", action="store_true", help="remove what nobody needs")
