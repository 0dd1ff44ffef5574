"""What the tests of accounts share: the stores, and rows of people and their videos."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from common.ids import new_id
from common.names import name_key
from common.stores import Stores
from db.engine import Database
from db.models import User, Video, Visibility
from tests.conftest import Client, Site

PASSWORD = "correct horse battery"  # what the cast of the fixtures signs up with


@pytest.fixture
def stores(site: Site) -> Stores:
    """The stores of the auth service."""
    found: Stores = site.apps["auth"].extensions["matinee"].stores
    return found


def log_in(
    browser: Client, username: str, password: str = PASSWORD, **options: Any
) -> TestResponse:
    """Send the log-in form."""
    form = {"username": username, "password": password}
    return browser.post("/login", data=form, **options)


def is_signed_in(browser: Client) -> bool:
    """Tell whether a browser has a session."""
    return browser.get("/api/session").status_code == 200


def at_once(count: int, work: Callable[[int], TestResponse]) -> list[int]:
    """Run work that many times, and return the statuses of the answers.

    Ten run at the same time: as many as may hash a password or wait for it in one process.
    """
    with ThreadPoolExecutor(min(count, 10)) as pool:
        return sorted(answer.status_code for answer in pool.map(work, range(count)))


def account(database: Database, name: str) -> User:
    """Return the row of an account that is there."""
    wanted = select(User).where(User.name_key == name_key(name))
    return database.read(lambda session: session.scalars(wanted).one())


def accounts(database: Database) -> list[User]:
    """Return every account's row."""
    return database.read(lambda session: list(session.scalars(select(User).order_by(User.id))))


def user_id(database: Database, name: str) -> int:
    """Return the id of an account that is there."""
    return account(database, name).id


def put_video(database: Database, owner: str, *, size: int = 1000) -> str:
    """Put a video's row in place, visible to everybody signed in, and return its id."""
    owner_id = user_id(database, owner)
    video = Video(
        id=new_id(),
        owner_id=owner_id,
        title="A day at the sea",
        visibility=Visibility.MEMBERS,
        size=size,
        duration_ms=61_000,
        width=1280,
        height=720,
        video_codec="avc1",
    )
    database.write(lambda session: session.add(video))
    return video.id
