"""Notes when people were last seen, once an answer is sent: nobody waits for it.

It is a column of the account, written every five minutes at most. Media requests do not come here;
see `streaming_service.delivery`. A process remembers whom it has noted, so that most requests write
nothing.
"""

import time
from contextlib import suppress
from datetime import timedelta
from functools import partial

from flask import Flask, Response, g
from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from common.access import Viewer
from common.web.services import stores
from db.engine import Database, DatabaseUnavailable, transaction
from db.models import User, now

_SEEN_EVERY = timedelta(minutes=5)  # how exact the time is
_REMEMBERED = 10_000  # accounts of which a process remembers when it noted them


def install_last_seen(app: Flask) -> None:
    """Note when people use this app."""
    due: dict[int, float] = {}

    @app.after_request
    def note(response: Response) -> Response:
        viewer: Viewer | None = g.get("viewer")
        if viewer is not None and time.monotonic() >= due.get(viewer.id, 0.0):
            if len(due) >= _REMEMBERED:
                due.clear()
            due[viewer.id] = time.monotonic() + _SEEN_EVERY.total_seconds()
            response.call_on_close(partial(_try_to_record, stores().database, viewer.id))
        return response


def _try_to_record(database: Database, user_id: int) -> None:
    with suppress(DatabaseUnavailable):  # it is noted at the next request after five minutes
        record_seen(database, user_id)


@transaction(writes=True)
def record_seen(session: Session, user_id: int) -> None:
    """Note that an account is in use now, unless that was noted within five minutes."""
    moment = now()
    old = or_(User.last_seen_at.is_(None), User.last_seen_at < moment - _SEEN_EVERY)
    statement = update(User).where(User.id == user_id, old).values(last_seen_at=moment)
    session.execute(statement, execution_options={"synchronize_session": False})
