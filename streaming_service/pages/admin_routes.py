"""The administrators' page of failed jobs.

GET  /stream/failed                the page
POST /stream/failed/<job>/again    queues a job again, and leads back to the page
GET  /api/videos/failed            {"steps": [job, ...], "next": cursor or null}
     ?after=<cursor>               as `streaming_service.videos.failed_jobs` describes them
"""

from typing import Any

from flask import Blueprint, redirect, render_template
from werkzeug.wrappers import Response

from common.translation import gettext_noop
from common.web.auth import Audience, require_viewer, restrict_to
from common.web.notices import notice_of
from common.web.services import stores
from streaming_service.pages.list_query import read_parameter
from streaming_service.videos.cursors import FailedJobCursor
from streaming_service.videos.failed_jobs import FailedJobPage, list_failed_jobs, retry_job

_NOTICES = {"again": gettext_noop("It is being tried again.")}
_PROBLEMS = {
    "gone": gettext_noop(
        "Nothing was changed: that step is being tried already, or its video is gone."
    )
}

blueprint = Blueprint("admin", __name__)
restrict_to(blueprint, Audience.ADMINISTRATORS)


@blueprint.get("/stream/failed")
def failed() -> str:
    """Show a page of the failed jobs; a cursor that makes no sense leads to the first page."""
    after = _after(strict=False)
    page = _load_page(after)
    return render_template(
        "streaming/failed.html",
        steps=page.jobs,
        more=f"/stream/failed?after={page.next}" if page.next else None,
        is_first=after is None,
        notice=notice_of(_NOTICES),
        error=notice_of(_PROBLEMS),
    )


@blueprint.post("/stream/failed/<int(max=9223372036854775807):job_id>/again")
def retry(job_id: int) -> Response:
    """Queue a job again, and go back to the list."""
    done = "again" if retry_job(stores(), job_id) else "gone"
    return redirect(f"/stream/failed?done={done}", 303)


@blueprint.get("/api/videos/failed")
def failed_for_scripts() -> dict[str, Any]:
    """List the failed jobs, a page at a time."""
    page = _load_page(_after(strict=True))
    return {
        "steps": [job.as_json() for job in page.jobs],
        "next": str(page.next) if page.next else None,
    }


def _after(*, strict: bool) -> FailedJobCursor | None:
    return read_parameter("after", FailedJobCursor.read, None, strict=strict)


def _load_page(after: FailedJobCursor | None) -> FailedJobPage:
    return list_failed_jobs(stores().database, require_viewer(), after=after)
