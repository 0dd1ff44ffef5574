"""One job from claim to end: a step in a folder of its own, and what comes of it."""

import errno
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from common.job_queue import wake_workers
from common.storage import StorageFull
from db.engine import DatabaseUnavailable
from db.models import JobKind
from transcode_service import jobs, publishing
from transcode_service.jobs import Claim
from transcode_service.leases import Cancelled, Lease, Lost, Stopping
from transcode_service.media import DiskFull, MediaFailed, Refused
from transcode_service.shop import Workshop
from transcode_service.steps import Made, Step, perform

_PAUSE = 1.0  # seconds between two tries to reach a store that is away
_PARTING = 3.0  # seconds that a worker which is to end tries to reach the database
_ROOM = 64 << 20  # bytes that must be free to begin with
_FULL_PAUSE = 60.0  # seconds at least until a job that found the disk full is tried again
_FULL_PAUSE_LIMIT = 3600.0

_FAULT = "Something went wrong on our side while this video was processed."
_MISSING = "The file of this video is not there."

T = TypeVar("T")
log = structlog.get_logger()


def drain(shop: Workshop) -> None:
    """Work on jobs until none waits, or this worker is to end.

    :raises DatabaseUnavailable: no job could be claimed.
    :raises StorageError: the volume is not there; no job is begun, since each would fail.
    """
    while not shop.stopping.is_set():
        shop.storage.check(writable=True)
        if not run_one(shop):
            return


def run_one(shop: Workshop) -> bool:
    """Claim the next job and bring it to an end; tell whether there was one.

    :raises DatabaseUnavailable: no job could be claimed.
    """
    claim = shop.database.write(partial(jobs.claim, worker=shop.name))
    if claim is None:
        return False
    about = {"job": claim.job_id, "video": claim.video_id, "kind": claim.kind.value}
    with structlog.contextvars.bound_contextvars(**about, height=claim.height):
        log.info("step begun", fence=claim.fence, estimate=round(claim.estimate, 2))
        with Lease(shop.database, claim, shop.stopping) as lease:
            _attempt(shop, claim, lease)
        _tidy(shop, claim)
    return True


def _attempt(shop: Workshop, claim: Claim, lease: Lease) -> None:
    began = time.monotonic()
    try:
        if shop.storage.free_bytes() < _ROOM:
            raise DiskFull
        folder = shop.storage.attempt_folder(claim.video_id, claim.job_id, claim.fence)
        step = Step(
            storage=shop.storage,
            video_id=claim.video_id,
            height=claim.height,
            folder=folder,
            limits=shop.limits,
            report=lease.report,
        )
        made = perform(claim.kind, step)
        seconds = time.monotonic() - began
        _publish(shop, claim, lease, folder=folder, made=made, seconds=seconds)
    except Cancelled as cancelled:
        _cancel(shop, claim, cancelled)
    except Refused as refused:
        _refuse(shop, claim, lease, refused.sentence)
    except (DiskFull, StorageFull) as full:
        _put_off(shop, claim, elapsed=time.monotonic() - began, detail=str(full))
    except MediaFailed as failed:
        _fail(shop, claim, error=failed.sentence, detail=failed.detail)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            _put_off(shop, claim, elapsed=time.monotonic() - began, detail=str(error))
        else:
            missing = isinstance(error, FileNotFoundError)
            _fail(shop, claim, error=_MISSING if missing else _FAULT, detail=str(error))
    except Exception:
        log.exception("a step failed by a bug")
        _fail(shop, claim, error=_FAULT, detail=traceback.format_exc())


def _publish(
    shop: Workshop, claim: Claim, lease: Lease, *, folder: Path, made: Made, seconds: float
) -> None:
    for name in made.files:
        shop.storage.sync_file(folder / name)  # here, since a transaction should be short
    if claim.kind is JobKind.CHECK:
        work = partial(
            publishing.plan, claim=claim, steps=made.steps, facts=made.facts, seconds=seconds
        )
    else:
        work = partial(
            publishing.publish,
            storage=shop.storage,
            claim=claim,
            folder=folder,
            seconds=seconds,
            pictures=made.pictures,
            renditions=made.renditions,
        )
    if not _persist(shop, partial(shop.database.write, work), lease):
        raise Lost
    log.info("step done", seconds=round(seconds, 2))
    if len(made.steps) > 1:
        wake_workers(shop.redis, len(made.steps) - 1)  # this worker goes on with one of them


def _persist(shop: Workshop, work: Callable[[], T], lease: Lease) -> T:
    """Do something that is safe to do again, until the stores it needs are there.

    :raises Cancelled: the job was lost meanwhile, or this worker is to end.
    """
    while True:
        try:
            return work()
        except (DatabaseUnavailable, RedisError) as error:
            log.warning("waiting for a store", store=type(error).__name__, detail=str(error))
        shop.stopping.wait(_PAUSE)
        lease.report(1.0)


def _settle(shop: Workshop, work: Callable[[Session], bool]) -> bool:
    """Note how an attempt ended, waiting for the database unless this worker is to end.

    What could not be noted is found by the reconciler once the lease has run out.
    """
    deadline: float | None = None
    while True:
        try:
            return shop.database.write(work)
        except DatabaseUnavailable as error:
            log.warning("waiting for a store", store="database", detail=str(error))
        if shop.stopping.is_set():
            deadline = deadline or time.monotonic() + _PARTING
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE / 4)
        shop.stopping.wait(_PAUSE)


def _cancel(shop: Workshop, claim: Claim, cancelled: Cancelled) -> None:
    if isinstance(cancelled, Stopping):
        handed = _settle(shop, partial(jobs.hand_back, claim=claim))
        log.info("step handed back", held=handed)
        wake_workers(shop.redis)
    else:
        log.info("step given up: it is not wanted any more, or somebody else's")


def _refuse(shop: Workshop, claim: Claim, lease: Lease, sentence: str) -> None:
    def refuse() -> bool:
        with shop.videos.changing([claim.video_id]):
            return shop.database.write(partial(publishing.refuse, claim=claim, sentence=sentence))

    try:
        held = _persist(shop, refuse, lease)
    except Cancelled as cancelled:
        _cancel(shop, claim, cancelled)
    else:
        log.info("video refused", sentence=sentence, held=held)


def _put_off(shop: Workshop, claim: Claim, *, elapsed: float, detail: str) -> None:
    """Try again when there may be room, having spent no more on trying than on waiting."""
    after = timedelta(seconds=min(max(_FULL_PAUSE, elapsed), _FULL_PAUSE_LIMIT))
    error = DiskFull().sentence
    _tidy(shop, claim)  # first, since the database may want room too
    log.error("the disk is full", detail=detail, again_in=after.total_seconds())
    _settle(shop, partial(jobs.hand_back, claim=claim, after=after, error=error))


def _fail(shop: Workshop, claim: Claim, *, error: str, detail: str) -> None:
    held = _settle(shop, partial(jobs.fail, claim=claim, error=error, detail=detail))
    log.warning("step failed", error=error, detail=detail[-500:], held=held)


def _tidy(shop: Workshop, claim: Claim) -> None:
    try:
        shop.storage.drop_attempts(claim.video_id, claim.job_id, below=claim.fence + 1)
    except OSError:
        log.exception("an attempt's folder stays for the reconciler")
