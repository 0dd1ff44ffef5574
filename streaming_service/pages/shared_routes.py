"""The page "Shared with me".

GET   /stream/shared   ?page=<number>
POST  /stream/shared/<grant>/remove   the receiver gives it back
"""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from common.received_grants import count_unseen
from common.translation import gettext_noop
from common.web.auth import Audience, current_actor, require_viewer, restrict_to
from common.web.notices import notice_of
from common.web.services import stores
from db.models import now
from streaming_service.pages.list_view import current_view
from streaming_service.services import services
from streaming_service.sharing.fields import expiry_words
from streaming_service.sharing.grants import remove_grant
from streaming_service.sharing.shared_with_me import load_shared, mark_seen
from streaming_service.videos.changes import upsert

_LAST_PAGE = 10_000
_NOTICES = {"removed": gettext_noop("It is not shared with you any more.")}

blueprint = Blueprint("shared", __name__)
restrict_to(blueprint, Audience.SIGNED_IN)
blueprint.add_app_template_filter(expiry_words)


@blueprint.get("/stream/shared")
def shared() -> str:
    """Show what others share with the viewer. From then on nothing of it counts as new."""
    viewer, here = require_viewer(), services()
    page = min(max(request.args.get("page", 1, type=int), 1), _LAST_PAGE)
    at = now()
    items, has_more = load_shared(here.stores.database, viewer, page, here.forecasts)
    if count_unseen(here.stores.database, viewer):
        upsert(mark_seen, here.stores.database, viewer, at)
    return render_template(
        "streaming/sharing/shared.html",
        items=items,
        view=current_view().value,
        more=f"/stream/shared?page={page + 1}" if has_more else None,
        notice=notice_of(_NOTICES),
    )


@blueprint.post("/stream/shared/<grant_id>/remove")
def remove(grant_id: str) -> Response:
    """Give back what somebody shared with the viewer by name."""
    remove_grant(stores(), current_actor(), grant_id)
    return redirect("/stream/shared?done=removed", 303)
