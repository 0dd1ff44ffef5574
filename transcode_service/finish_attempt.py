"""The end of an attempt: its files are written to where they are kept, and published."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import structlog
from sqlalchemy.exc import IntegrityError

from common.storage.durability import sync_path
from common.storage.errors import StoreRefused, StoreUnavailable
from common.storage.object_files import ObjectFiles, WrittenObject
from common.storage.objects import OpenObject
from db.engine import DatabaseUnavailable
from transcode_service import publishing
from transcode_service.leases import Lease, LeaseLost
from transcode_service.media.playlists import write_master
from transcode_service.media.source_info import RenditionInfo
from transcode_service.published import FileElsewhere, has_published, read_published
from transcode_service.publishing import MASTER, FinishedFiles, MasterOutdated
from transcode_service.steps import StepOutput
from transcode_service.worker_context import WorkerContext

T = TypeVar("T")

_KEYFRAMES = "-iframes.m3u8"
_RETRY_DELAY = 5.0  # seconds between two tries to reach an object store that is unavailable
# Seconds to try so, rather than do the step again: at least, and as many as it took, but at most.
# Objects that are written and not published yet are not touched for twice as long as that.
_PATIENCE = 30.0
_PATIENCE_LIMIT = 1800.0

log = structlog.get_logger()


def publish_attempt(lease: Lease, *, folder: Path, output: StepOutput, seconds: float) -> bool:
    """Publish an attempt's output, and record that its job is done; see `publishing.publish`.

    :param seconds: that the step took.
    :raises Cancelled: the job was lost, or this worker was told to stop.
    :raises StoreUnavailable: the object store could not be used for as long as the step took.
    :raises StoreRefused: it refuses.
    :raises FileElsewhere: what the master playlist is made of is not here.
    """
    patience = min(max(_PATIENCE, seconds), _PATIENCE_LIMIT)
    ending = _Ending(lease, folder, output, deadline=time.monotonic() + patience)
    is_published = False
    try:
        for name, file in output.files.items():
            ending.finish_file(name, folder / file)
        while True:
            named = ending.finish_master()
            try:
                is_published = ending.publish(named, seconds)
            except MasterOutdated:
                lease.report(1.0)
            else:
                return is_published
    finally:
        if not is_published:
            _remove(lease.context.publishes_to, ending.written.values())


def restore_master(context: WorkerContext, video_id: str) -> bool:
    """Publish the master playlist of a video that has lost it; tell whether it had.

    :raises DatabaseUnavailable, RedisError: not now.
    :raises StoreUnavailable, StoreRefused: the object store cannot be used now.
    :raises FileElsewhere, FileNotFoundError: what it is made of is not here.
    """
    named = publishing.plan_master(context.database, video_id=video_id)
    if not named or has_published(context, video_id, MASTER):
        return False
    text = write_master(named, read=partial(_read, context, video_id, None))
    objects = context.publishes_to
    written = None if objects is None else _write_text(objects, text, video_id, MASTER)
    is_published = False
    try:
        with context.changing(video_id):
            is_published = publishing.publish_master(
                context.database,
                storage=context.storage,
                video_id=video_id,
                named=named,
                text=text,
                written=written,
            )
    finally:
        if written is not None and not is_published:
            _remove(objects, [written])
    return is_published


def _write_text(objects: ObjectFiles, text: str, video_id: str, name: str) -> WrittenObject:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "text"
        path.write_text(text, encoding="utf-8")
        return objects.write(path, video_id=video_id, name=name)


@dataclass
class _Ending:
    """The files of an attempt as they are finished, by the names that they get.

    :ivar deadline: on the monotonic clock, until which an object store is waited for.
    :ivar written: their objects; none if files are published on the disk.
    """

    lease: Lease
    folder: Path
    output: StepOutput
    deadline: float
    paths: dict[str, Path] = field(default_factory=dict)
    written: dict[str, WrittenObject] = field(default_factory=dict)

    def finish_file(self, name: str, path: Path) -> None:
        """Make a file durable, here since a transaction should be short, or write its object."""
        objects = self.lease.context.publishes_to
        if objects is None:
            sync_path(path)
        else:
            write = partial(objects.write, path, video_id=self.lease.claim.video_id, name=name)
            write = partial(write, advance=lambda _done: self.lease.report(1.0))
            try:
                self.written[name] = self._persist(write)
            except IntegrityError as error:  # the video has been removed
                raise LeaseLost from error
        self.paths[name] = path

    def finish_master(self) -> list[RenditionInfo]:
        """Write the master playlist as it will be; return the renditions that it names."""
        if not self.output.renditions:
            return []
        context, claim = self.lease.context, self.lease.claim
        self.paths.pop(MASTER, None)
        if MASTER in self.written:
            _remove(context.publishes_to, [self.written.pop(MASTER)])
        plan = partial(publishing.plan_master, context.database, video_id=claim.video_id)
        named = self.lease.persist(partial(plan, done=claim, made=self.output.renditions))
        if named:
            read = partial(_read, context, claim.video_id, self.folder)
            text = self._persist(lambda: write_master(named, read=read))
            path = self.folder / "master.m3u8"
            path.write_text(text, encoding="utf-8")
            self.finish_file(MASTER, path)
        return named

    def publish(self, named: list[RenditionInfo], seconds: float) -> bool:
        """Publish all; tell whether the job was still held.

        :raises MasterOutdated: the master playlist is to be written again.
        """
        context, claim = self.lease.context, self.lease.claim
        written = None if context.publishes_to is None else self.written
        files = FinishedFiles(context.storage, claim.video_id, self.paths, written)

        def publish() -> bool:
            with context.changing(claim.video_id):
                return publishing.publish(
                    context.database,
                    claim=claim,
                    output=self.output,
                    files=files,
                    named=named,
                    seconds=seconds,
                )

        return self.lease.persist(publish)

    def _persist(self, work: Callable[[], T]) -> T:
        """Do something idempotent, waiting for all stores; for the object store only so long."""
        while True:
            try:
                return self.lease.persist(work)
            except StoreUnavailable as error:
                if time.monotonic() >= self.deadline:
                    raise
                log.warning("waiting for the object store", detail=str(error))
            self.lease.context.stopping.wait(_RETRY_DELAY)
            self.lease.report(1.0)


def _read(
    context: WorkerContext, video_id: str, folder: Path | None, name: str, limit: int | None
) -> bytes:
    """Return a file of renditions: that of an attempt's folder, or the published one."""
    if folder is not None and (folder / name).exists():
        with (folder / name).open("rb") as file:
            return file.read(-1 if limit is None else limit)
    try:
        return read_published(context, video_id, f"hls/{name}", limit=limit)
    except FileElsewhere:
        # Where the rendition is, its keyframe playlist is too: an earlier version wrote none.
        if name.endswith(_KEYFRAMES):
            playlist = f"hls/{name.removesuffix(_KEYFRAMES)}.m3u8"
            if has_published(context, video_id, playlist):
                raise FileNotFoundError(name) from None
        raise


def _remove(objects: ObjectFiles | None, written: Iterable[WrittenObject]) -> None:
    """Remove objects that were not published. Their rows lead to what cannot be removed now."""
    if objects is None:
        return
    try:
        for one in written:
            objects.remove(OpenObject(one.id, one.key))
    except (DatabaseUnavailable, StoreRefused, StoreUnavailable) as error:
        log.info("objects are left to the clean-up", detail=str(error))
