"""A share link, as those who were given it open it.

GET  /s/<token>    the page with the button "Watch"; counts nothing, so that a preview does not
POST /s/<token>    opens it: 303 to the video or collection, with the cookie of the visit

Whatever does not work any more is answered alike, with 404.

A site of `EMBED_ORIGINS` may show both in a frame, which then goes on to `/embed/<video>`. The
frame's cookie counts in pages of that site alone (Partitioned), and over HTTPS only.
"""

from datetime import timedelta

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from common.errors import MatineeError
from common.stores.visits import MAX_VISITS, visit_tokens
from common.web.auth import (
    SECURE_VISIT_COOKIE,
    Audience,
    current_actor,
    current_watcher,
    restrict_to,
    visit_cookie,
)
from common.web.forms import form_fields
from common.web.services import stores
from common.web.templating import content_policy
from db.models import now
from streaming_service.pages.refused import refused
from streaming_service.services import services
from streaming_service.sharing.objects import SharedObject
from streaming_service.sharing.open_link import FoundLink, LinkOpener, Visit, find_link, open_link

_COOKIE_AGE = timedelta(days=400)  # the most that browsers keep one

blueprint = Blueprint("open_link", __name__)
restrict_to(blueprint, Audience.ANYBODY)


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """Keep the address out of caches, search engines and the `Referer` of other requests.

    With `no-referrer` a browser would send `Origin: null` with the form, which is refused.
    """
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Cache-Control"] = "no-store"
    settings = services().settings
    response.headers["Content-Security-Policy"] = content_policy(
        frame_ancestors=settings.frame_ancestors, media_origins=settings.media_origins
    )
    return response


@blueprint.get("/s/<token>")
def show(token: str) -> Response:
    """Show what the link is. A browser that has opened it before goes on."""
    found = find_link(stores().database, current_watcher(), token)
    if found.was_opened:
        return _go_on(found)
    return make_response(_page(found))


@blueprint.post("/s/<token>")
def open_(token: str) -> Response:
    """Open the link, or show its page again with the reason why not."""
    watcher, here = current_watcher(), services()
    found = find_link(stores().database, watcher, token)
    if found.was_opened:
        return _go_on(found)
    password = form_fields(optional=("password",))["password"] if request.form else ""
    opener = LinkOpener(stores().database, here.passwords, here.limits, here.rate_limits)
    try:
        visit = open_link(opener, current_actor(), watcher, found.link, password)
    except MatineeError as error:
        if error.status not in (401, 422, 429):
            raise
        return refused(error, _page(found, error=error.sentence))
    response = _go_on(found)
    _keep_visit(response, visit)
    return response


def _page(found: FoundLink, *, error: str = "") -> str:
    link = found.link
    return render_template(
        "streaming/sharing/open_link.html",
        title=found.title if link.show_title else None,
        is_collection=link.collection_id is not None,
        has_password=link.password_hash is not None,
        error=error,
    )


def _go_on(found: FoundLink) -> Response:
    if _is_framed() and found.link.video_id is not None:
        return redirect(f"/embed/{found.link.video_id}", 303)
    return redirect(SharedObject.of(found.link).url, 303)


def _is_framed() -> bool:
    return request.headers.get("Sec-Fetch-Dest") == "iframe"


def _keep_visit(response: Response, visit: Visit) -> None:
    """Set the cookie of visits: this one first, and those that the browser had before."""
    name = visit_cookie()
    tokens = [visit.token, *visit_tokens(request.cookies.get(name))][:MAX_VISITS]
    left = _COOKIE_AGE if visit.until is None else min(visit.until - now(), _COOKIE_AGE)
    response.set_cookie(
        name,
        ".".join(tokens),
        max_age=left,
        path="/",
        httponly=True,
        samesite="None" if _is_framed() else "Lax",
        secure=name == SECURE_VISIT_COOKIE or _is_framed(),
        partitioned=_is_framed(),
    )
