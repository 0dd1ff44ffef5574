"""One job from claim to end: run its step in a folder of its own, and record the outcome."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from common.job_queue import wake_workers
from common.process.store_retry import wait_for_stores
from common.storage import StorageFull
from common.storage.durability import raising_storage_full
from common.storage.errors import StoreRefused, StoreUnavailable
from common.translation import gettext_noop
from db.models import JobKind
from transcode_service import jobs, publishing
from transcode_service.finish_attempt import publish_attempt
from transcode_service.leases import Cancelled, Lease, LeaseLost, WorkerStopping
from transcode_service.media.source_info import DiskFull, MediaFailed, UnplayableSource
from transcode_service.original import original
from transcode_service.published import FileElsewhere, read_published
from transcode_service.steps import JobRun, run_step
from transcode_service.worker_context import WorkerContext

_RETRY_DELAY = 1.0  # seconds between two tries to reach a store that is unavailable
_STOP_DEADLINE = 3.0  # seconds that a stopping worker tries to reach the database
_DELAY = 60.0  # seconds, at least, until a job that found the disk full or no store is tried again
_DELAY_LIMIT = 3600.0
_ELSEWHERE_DELAY = 10.0  # seconds until the same for a file that has not been moved yet

_FAULT = gettext_noop("Something went wrong on our side while this video was processed.")
_MISSING = gettext_noop("The file of this video is not there.")
_STORE_AWAY = gettext_noop("The object store cannot be used now. Processing continues when it can.")
_ELSEWHERE = gettext_noop(
    "The file of this video is not in the object store yet. Processing continues when it is there."
)

log = structlog.get_logger()


def run_until_empty(context: WorkerContext) -> None:
    """Work on jobs until none waits or this worker is told to stop.

    :raises DatabaseUnavailable, StorageError: no job could be claimed, or each would fail.
    """
    while not context.stopping.is_set():
        context.check_storage()
        if not run_one(context):
            return


def run_one(context: WorkerContext) -> bool:
    """Claim the next job and bring it to an end; tell whether there was one."""
    claim = jobs.claim(context.database, worker=context.name)
    if claim is None:
        return False
    about = {"job": claim.job_id, "video": claim.video_id, "kind": claim.kind.value}
    with structlog.contextvars.bound_contextvars(**about, height=claim.height):
        log.info("step begun", fence=claim.fence, estimate=round(claim.estimate, 2))
        with Lease(context, claim) as lease:
            _attempt(lease)
        _remove_attempt(lease)
    return True


def _attempt(lease: Lease) -> None:
    began = time.monotonic()
    try:
        with raising_storage_full():
            _run_and_publish(lease)
    except Cancelled as cancelled:
        _cancel(lease, cancelled)
    except (DiskFull, StorageFull) as full:
        after = _delay(began)
        log.error("the disk is full", detail=str(full), again_in=after)
        _defer(lease, after=after, error=DiskFull().sentence)
    except StoreUnavailable as away:
        after = _delay(began)
        log.warning("the object store is unavailable", detail=str(away), again_in=after)
        _defer(lease, after=after, error=_STORE_AWAY)
    except StoreRefused as refused:
        after = _delay(began)
        about = {"code": refused.code, "detail": str(refused)}
        log.error("the object store refuses", **about, again_in=after)
        _defer(lease, after=after, error=_STORE_AWAY)
    except FileElsewhere as elsewhere:
        log.info("a file is not here", detail=str(elsewhere), again_in=_ELSEWHERE_DELAY)
        _defer(lease, after=_ELSEWHERE_DELAY, error=_ELSEWHERE)
    except MediaFailed as failed:
        _fail(lease, error=failed.sentence, detail=failed.detail, final=failed.is_final)
    except FileNotFoundError as error:
        _fail(lease, error=_MISSING, detail=str(error))
    except OSError as error:
        _fail(lease, error=_FAULT, detail=str(error))
    except Exception as error:
        log.exception("a step failed by a bug")
        _fail(lease, error=_FAULT, detail=f"{type(error).__name__}: {error}")


def _run_and_publish(lease: Lease) -> None:
    began = time.monotonic()
    context, claim = lease.context, lease.claim
    storage = context.storage
    if storage.free_bytes() < context.limits.reserve:
        raise DiskFull
    folder = storage.attempt_folder(claim.video_id, claim.job_id, claim.fence)
    poster = None
    if claim.kind is JobKind.POSTER:
        poster = publishing.chosen_poster(context.database, video_id=claim.video_id)

    def read(name: str) -> bytes:
        return lease.persist(lambda: read_published(context, claim.video_id, name))

    with original(lease, folder) as source:
        run = JobRun(source, read, claim.height, folder, context.limits, lease.report, poster)
        try:
            output = run_step(claim.kind, run)
        except UnplayableSource as unplayable:
            _reject(lease, unplayable.sentence)
            return
    seconds = time.monotonic() - began
    if not publish_attempt(lease, folder=folder, output=output, seconds=seconds):
        raise LeaseLost
    log.info("step done", seconds=round(seconds, 2))
    if len(output.steps) > 1:
        wake_workers(context.redis, len(output.steps) - 1)  # this worker goes on with one of them


def _record_outcome(lease: Lease, rule: Callable[..., bool], **values: Any) -> bool:
    """Record how an attempt ended; wait for the database unless this worker is stopping.

    What could not be recorded is found by the reconciler once the lease has expired.
    """
    context = lease.context
    deadline: float | None = None

    def pause() -> bool:
        nonlocal deadline
        if not context.stopping.wait(_RETRY_DELAY):
            return True
        deadline = deadline or time.monotonic() + _STOP_DEADLINE
        time.sleep(_RETRY_DELAY / 4)
        return time.monotonic() < deadline

    work = partial(rule, context.database, claim=lease.claim, **values)
    return bool(wait_for_stores(work, pause=pause))


def _cancel(lease: Lease, cancelled: Cancelled) -> None:
    if isinstance(cancelled, WorkerStopping):
        held = _record_outcome(lease, jobs.release)
        log.info("step handed back", held=held)
        wake_workers(lease.context.redis)
    else:
        log.info("step cancelled: the job or its video is no longer ours")


def _reject(lease: Lease, reason: str) -> None:
    context, claim = lease.context, lease.claim

    def reject() -> bool:
        with context.videos.changing([claim.video_id]):
            return publishing.reject(context.database, claim=claim, reason=reason)

    held = lease.persist(reject)
    log.info("video rejected", reason=reason, held=held)


def _delay(began: float) -> float:
    """Return seconds to wait, so that no more time is spent on trying than on waiting."""
    return min(max(_DELAY, time.monotonic() - began), _DELAY_LIMIT)


def _defer(lease: Lease, *, after: float, error: str) -> None:
    """Try again later, without counting the attempt."""
    _remove_attempt(lease)  # first, since the database may need the space too
    _record_outcome(lease, jobs.release, after=timedelta(seconds=after), error=error)


def _fail(lease: Lease, *, error: str, detail: str, final: bool = False) -> None:
    held = _record_outcome(lease, jobs.fail, error=error, detail=detail, final=final)
    log.warning("step failed", error=error, detail=detail[-500:], held=held)


def _remove_attempt(lease: Lease) -> None:
    claim = lease.claim
    try:
        lease.context.storage.drop_attempts(claim.video_id, claim.job_id, below=claim.fence + 1)
    except OSError:
        log.exception("an attempt's folder is left to the reconciler")
