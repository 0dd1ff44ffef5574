"""The page for whoever looks after the site: what could not be prepared, and trying it again.

GET  /stream/failed                the page
POST /stream/failed/<step>/again   lets a step be tried again, and leads back to the page
GET  /api/videos/failed            {"steps": [step, ...], "next": cursor or null}
     ?after=<cursor>               as `streaming_service.failures` describes them
"""

from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from common.web.auth import Audience, require_viewer, restrict_to
from common.web.services import stores
from streaming_service import changes
from streaming_service.api import BadQuery
from streaming_service.cursors import BadCursor, StepCursor
from streaming_service.failures import Failures, list_failures

_NOTICES = {"again": "It is being tried again."}
_PROBLEMS = {
    "gone": "Nothing was changed: that step is being tried already, or its video is gone.",
}

administering = Blueprint("administering", __name__)
restrict_to(administering, Audience.ADMINISTRATORS)


@administering.get("/stream/failed")
def failed() -> str:
    """Show a page of the steps that failed; an address that makes no sense leads to the first."""
    try:
        after = _after()
    except BadCursor:
        after = None
    found = _listed(after)
    done = request.args.get("done", "")
    return render_template(
        "streaming/failed.html",
        steps=found.steps,
        more=f"/stream/failed?after={found.next}" if found.next else None,
        is_first=after is None,
        notice=_NOTICES.get(done),
        error=_PROBLEMS.get(done),
    )


@administering.post("/stream/failed/<int(max=9223372036854775807):step_id>/again")
def again(step_id: int) -> Response:
    """Let a step be tried again, and go back to the list."""
    done = "again" if changes.try_step_again(step_id) else "gone"
    return redirect(f"/stream/failed?done={done}", 303)


@administering.get("/api/videos/failed")
def failed_for_scripts() -> dict[str, Any]:
    """List the steps that failed, a page at a time."""
    try:
        found = _listed(_after())
    except BadCursor as error:
        raise BadQuery("“after” is not a cursor of this list.") from error
    return {
        "steps": [step.as_json() for step in found.steps],
        "next": str(found.next) if found.next else None,
    }


def _after() -> StepCursor | None:
    return StepCursor.read(request.args["after"]) if "after" in request.args else None


def _listed(after: StepCursor | None) -> Failures:
    viewer = require_viewer()
    return stores().database.read(lambda session: list_failures(session, viewer, after=after))
