"""What the home page of administrators shows: storage, the queue, people, versions."""

import math
import platform
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from auth_service.moving import Moving, load_moving
from common.forecast import load_open_jobs, make_forecast
from common.live import is_live, is_shown
from common.quota import OwnerShare, largest_owners
from common.storage.store_settings import Store
from common.version import VERSION
from db.engine import transaction
from db.models import Job, JobState, Upload, User, Video, Volume, now

_LARGEST = 10  # accounts
_LOW_SHARE = 0.1  # of the disk
_LOW_BYTES = 10_000_000_000


@dataclass(frozen=True)
class DiskSpace:
    """The disk of the videos, in bytes, as the janitor measured it last."""

    size: int
    free: int

    @property
    def used(self) -> int:
        """Bytes that are taken, by whatever."""
        return self.size - self.free

    @property
    def is_low(self) -> bool:
        """Whether less than 10 GB and less than a tenth of the disk is free."""
        return self.free < min(_LOW_BYTES, _LOW_SHARE * self.size)


@dataclass(frozen=True)
class Queue:
    """The queue of processing.

    :ivar failed: jobs that are not tried again by themselves.
    :ivar done_at: when all will be done, if as many workers go on as work now.
    """

    running: int
    waiting: int
    videos: int
    failed: int
    done_at: datetime | None

    @property
    def minutes_left(self) -> int | None:
        """Minutes until all will be done, at least 1; None: nothing is to be done."""
        if self.done_at is None:
            return None
        return max(1, math.ceil((self.done_at - now()).total_seconds() / 60))


@dataclass(frozen=True)
class Overview:
    """The state of the site.

    :ivar disk: None: the janitor has not measured it yet.
    :ivar moving: None: there is no object store.
    :ivar largest: the accounts that store most.
    :ivar versions: by the name of the program.
    """

    people: int
    disabled: int
    videos: int
    video_bytes: int
    unfinished: int
    unfinished_bytes: int
    disk: DiskSpace | None
    moving: Moving | None
    largest: list[OwnerShare]
    queue: Queue
    versions: dict[str, str]


@transaction(writes=False)
def load_overview(session: Session, *, default_store: Store) -> Overview:
    """Return the state of the site as the database knows it."""
    people, disabled = session.execute(select(func.count(), func.count(User.disabled_at))).one()
    sizes = select(func.count(), func.coalesce(func.sum(Video.size), 0)).where(is_live())
    videos, video_bytes = session.execute(sizes).one()
    begun = select(func.count(), func.coalesce(func.sum(Upload.reserved), 0)).select_from(Upload)
    unfinished, reserved = session.execute(begun).one()
    return Overview(
        people=people,
        disabled=disabled,
        videos=videos,
        video_bytes=int(video_bytes or 0),
        unfinished=unfinished,
        unfinished_bytes=int(reserved or 0),
        disk=_disk(session),
        moving=load_moving(session, default_store=default_store),
        largest=largest_owners(session, limit=_LARGEST),
        queue=_queue(session),
        versions=_versions(session),
    )


def _disk(session: Session) -> DiskSpace | None:
    volume = session.scalar(select(Volume))
    if volume is None or not volume.size or volume.free is None:
        return None
    return DiskSpace(volume.size, volume.free)


def _queue(session: Session) -> Queue:
    jobs = load_open_jobs(session)
    forecast = make_forecast(jobs, time=now())
    running = sum(job.state is JobState.RUNNING for job in jobs)
    failed = (
        select(func.count())
        .select_from(Job)
        .join(Video, Video.id == Job.video_id)
        .where(
            Job.state == JobState.FAILED,
            is_live(),
            is_shown(),
        )
    )
    return Queue(
        running=running,
        waiting=len(jobs) - running,
        videos=len(forecast.positions),
        failed=session.scalar(failed) or 0,
        done_at=max(forecast.etas.values(), default=None),
    )


def _versions(session: Session) -> dict[str, str]:
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    query = "SELECT sqlite_version()" if is_sqlite else "SELECT VERSION()"
    return {
        "Matinee": VERSION,
        "SQLite" if is_sqlite else "MySQL": str(session.scalar(text(query))),
        "Python": platform.python_version(),
    }
