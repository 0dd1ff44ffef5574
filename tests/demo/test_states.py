"""What the demonstration writes into the database by itself: the services must understand it."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.engine import connect
from db.models import Job, JobKind, JobState, Role, User, Video
from demo.catalogue import FAILED_STEP, FILMS, PREPARING, REFUSED
from demo.states import set_progress, set_states


def test_states_are_those_that_services_would_have_written(tmp_path: Path, migrated: str) -> None:
    shutil.copyfile(migrated.removeprefix("sqlite:///"), tmp_path / "matinee.db")
    database = connect(f"sqlite:///{tmp_path / 'matinee.db'}")
    titles = [*(film.title for film in FILMS), REFUSED, PREPARING]
    ids = {title: f"video{number:02}".ljust(22, "0") for number, title in enumerate(titles)}
    jobs = [
        Job(video_id=ids[FAILED_STEP], kind=JobKind.THUMBNAILS, state=JobState.DONE),
        Job(video_id=ids[PREPARING], kind=JobKind.THUMBNAILS, state=JobState.DONE),
        Job(video_id=ids[PREPARING], kind=JobKind.RENDITION, height=360),
        Job(video_id=ids[PREPARING], kind=JobKind.RENDITION, height=480),
    ]
    with Session(database.engine) as session, session.begin():
        session.add(User(id=1, name="anna", name_key="anna", password_hash="-", role=Role.ADMIN))
        session.flush()
        session.add_all(
            Video(id=id_, owner_id=1, title=title, size=1) for title, id_ in ids.items()
        )
        session.flush()
        session.add_all(jobs)

    set_states(tmp_path, ids)
    set_progress(tmp_path)

    now = datetime.now(UTC)
    with Session(database.engine) as session:
        failed, pictures, waiting, held = session.scalars(select(Job).order_by(Job.id))
        days = {video.title: video.created_at for video in session.scalars(select(Video))}
    database.engine.dispose()
    assert (failed.state, failed.attempts) == (JobState.FAILED, 3)
    assert failed.error is not None
    assert (pictures.state, waiting.state) == (JobState.DONE, JobState.WAITING)
    assert held.state is JobState.RUNNING
    assert held.leased_until is not None
    assert held.leased_until > now + timedelta(days=365)
    assert held.started_at is not None
    assert held.started_at < now
    assert 0 < held.progress < 1
    uploaded = [days[film.title] for film in FILMS]
    assert uploaded == sorted(uploaded, reverse=True)
    assert now - uploaded[-1] > timedelta(days=60)
