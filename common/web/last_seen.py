"""Notes when people were last seen, once an answer is sent: nobody waits for it.

Media requests do not come here; see `streaming_service.delivery`. A process remembers whom it has
noted, so that most requests write nothing.
"""

import time
from contextlib import suppress
from functools import partial

from flask import Flask, Response, g

from common.access import Viewer
from common.last_seen import SEEN_EVERY, record_seen
from common.web.services import stores
from db.engine import Database, DatabaseUnavailable

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
            due[viewer.id] = time.monotonic() + SEEN_EVERY.total_seconds()
            response.call_on_close(partial(_record, stores().database, viewer.id))
        return response


def _record(database: Database, user_id: int) -> None:
    with suppress(DatabaseUnavailable):  # it is noted at the next request after five minutes
        record_seen(database, user_id)
