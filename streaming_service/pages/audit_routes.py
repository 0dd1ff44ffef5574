"""The audit log.

GET  /stream/<video>/audit     of a video, for those who may share it; ?after=<cursor>
GET  /stream/audit             all of it, for administrators; ?after=<cursor>
GET  /api/audit                {"entries": [entry, ...], "next": cursor or null}
     ?video=<id>  ?after=<cursor>
GET  /api/audit/export.jsonl   every entry, one JSON object a line; ?video=<id>
"""

import re
from typing import Any

from flask import Blueprint, Response, render_template, request

from common.web.auth import Audience, require_viewer, restrict_to
from common.web.services import stores
from common.web.urls import watch_url
from streaming_service.pages.list_query import read_parameter
from streaming_service.videos.audit_log import AuditPage, export_audit, list_audit
from streaming_service.videos.cursors import BadCursor
from streaming_service.videos.library import get_video_to_share

blueprint = Blueprint("audit", __name__)
restrict_to(blueprint, Audience.SIGNED_IN)
administration = Blueprint("audit_administration", __name__)
restrict_to(administration, Audience.ADMINISTRATORS)


@blueprint.get("/stream/<video:video_id>/audit")
def of_video(video_id: str) -> str:
    """Show a page of a video's entries."""
    page = _load_page(video_id, strict=False)
    return render_template(
        "streaming/audit.html",
        video=get_video_to_share(stores().database, require_viewer(), video_id),
        **_shown(page, f"{watch_url(video_id)}/audit", f"?video={video_id}"),
    )


@administration.get("/stream/audit")
def everything() -> str:
    """Show a page of all entries."""
    page = _load_page(None, strict=False)
    return render_template("streaming/audit.html", video=None, **_shown(page, "/stream/audit", ""))


@blueprint.get("/api/audit")
def list_for_scripts() -> dict[str, Any]:
    """List entries, a page at a time."""
    page = _load_page(request.args.get("video"), strict=True)
    return {
        "entries": [view.as_json() for view in page.entries],
        "next": None if page.next is None else str(page.next),
    }


@blueprint.get("/api/audit/export.jsonl")
def export() -> Response:
    """Send every entry as a line of JSON."""
    lines = export_audit(stores().database, require_viewer(), video_id=request.args.get("video"))
    headers = {"Content-Disposition": 'attachment; filename="audit.jsonl"'}
    return Response(lines, mimetype="application/jsonl", headers=headers)


def _shown(page: AuditPage, address: str, query: str) -> dict[str, Any]:
    return {
        "entries": page.entries,
        "more": None if page.next is None else f"{address}?after={page.next}",
        "export": f"/api/audit/export.jsonl{query}",
    }


def _load_page(video_id: str | None, *, strict: bool) -> AuditPage:
    after = read_parameter("after", _cursor, None, strict=strict)
    return list_audit(stores().database, require_viewer(), video_id=video_id, after=after)


def _cursor(text: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", text):
        raise BadCursor("not the id of an entry")
    return int(text)
