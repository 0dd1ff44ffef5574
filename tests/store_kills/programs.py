"""The programs that are killed: a mover with its clean-up, and a worker. Each runs for ever."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from random import Random
from unittest import mock

from sqlalchemy import update
from sqlalchemy.orm import Session

from common.settings import CommonSettings
from common.storage import RESERVED_SPACE, AttemptStore, object_files
from common.storage.errors import StoreRefused, StoreUnavailable
from common.storage.movable import MovableFiles
from common.storage.object_files import ObjectFiles
from common.storage.s3 import MIN_PART, S3Store
from common.storage.s3_settings import S3Settings
from common.storage.scratch import Scratch
from common.storage.store_settings import Store
from common.stores import Stores
from db.models import Job, JobKind, JobState
from tests.transcode_service.conftest import rendition
from tests.upload_service.moving import MovingSite
from transcode_service import run_job
from transcode_service.media.source_info import SandboxLimits
from transcode_service.reconciler import Reconciler
from transcode_service.run_job import run_until_empty
from transcode_service.steps import JobRun, StepOutput
from transcode_service.worker_context import WorkerContext

GRACE = timedelta(seconds=10)  # longer than a viewer takes from the row to the bytes
RENDITION_SIZE = 200_000  # bytes
AT_ONCE = 4  # videos that are moved back, or processed again, in one go
STORE_FAULTS = (OSError, StoreRefused, StoreUnavailable)


@dataclass(frozen=True)
class Place:
    """What a program needs to find the site."""

    common: CommonSettings
    folder: Path
    settings: S3Settings
    videos: tuple[str, ...]

    def moving_site(self) -> MovingSite:
        """Return the site as the mover sees it."""
        store = S3Store(self.settings)
        disk = MovableFiles(self.folder)
        return MovingSite(Stores.of(self.common), disk, self.settings, store, owner_id=1)

    def worker_context(self) -> WorkerContext:
        """Return the site as a worker sees it that publishes to the object store."""
        stores = Stores.of(self.common)
        return WorkerContext(
            database=stores.database,
            redis=stores.redis,
            videos=stores.videos,
            storage=AttemptStore(self.folder),
            scratch=Scratch(self.folder / ".scratch", 1 << 30),
            limits=SandboxLimits(reserve=RESERVED_SPACE),
            name="worker",
            objects=ObjectFiles(stores.database, S3Store(self.settings)),
            store=Store.S3,
        )


Program = Callable[[Place, Event], None]


def move_to_and_fro(place: Place, ready: Event) -> None:
    """Move what is on the disk to the store, clean up, and move some videos back."""
    site, random = place.moving_site(), Random(os.getpid())
    ready.set()
    with mock.patch.object(object_files, "_PIECE", MIN_PART):
        while True:
            site.duty(grace=GRACE).work()  # a new one has forgotten what has failed
            site.cleaner(grace=GRACE).clean()
            for video in random.sample(place.videos, AT_ONCE):
                for name, found in site.current(video).items():
                    with suppress(*STORE_FAULTS):
                        site.mover.to_disk(video, name, found, advance=site.pace.begin())


def process_again(place: Place, ready: Event) -> None:
    """Make renditions of some videos again, and publish them."""
    context, random = place.worker_context(), Random(os.getpid())
    reconciler = Reconciler(context, sweep_every=0)
    reconciler.expire(worker=context.name)  # as is done for a worker that has ended
    ready.set()
    while True:
        reconciler.reconcile()
        queue(context, random.sample(place.videos, AT_ONCE))
        make_renditions(context)


def queue(context: WorkerContext, videos: list[str]) -> None:
    """Queue the jobs of videos again, and let those that wait be tried now.

    The kills of these tests do not count as attempts: three would fail a job, as they should.
    """

    def change(session: Session) -> None:
        again = update(Job).values(not_before=None, attempts=0, error=None)
        waiting = again.where(Job.state == JobState.WAITING)
        done = again.where(Job.state == JobState.DONE, Job.video_id.in_(videos))
        session.execute(waiting)
        session.execute(done.values(state=JobState.WAITING))

    context.database.write(change)


def make_renditions(context: WorkerContext) -> None:
    """Work on all jobs that wait, with steps that take no ffmpeg."""
    with mock.patch.object(run_job, "run_step", _make_rendition):
        run_until_empty(context)


def rendition_of(original: bytes) -> bytes:
    """Return what the worker makes of an original: each has another one."""
    return Random(hashlib.sha256(original).digest()).randbytes(RENDITION_SIZE)


def _make_rendition(_kind: JobKind, step: JobRun) -> StepOutput:
    made = rendition(step, f"{step.height}p")
    (step.folder / f"{made.name}.mp4").write_bytes(rendition_of(step.source.read_bytes()))
    return StepOutput(renditions=(made,))
