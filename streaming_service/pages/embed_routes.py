"""Embedding a video in other sites' pages, and oEmbed, by which they ask how (https://oembed.com).

GET /embed/<video>    the player alone
GET /oembed           ?url=<address of a watch or embed page>  ?maxwidth=  ?maxheight=  ?format=json

`EMBED_ORIGINS` says which sites may show `/embed/...` in a frame. A frame on another site gets no
session cookie, so it plays what is public. A video that is shared by a link is embedded by the
link's own address. oEmbed tells of public videos only.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy.orm import Session

from common.access import Watcher
from common.errors import LoginRequired, MatineeError, NotFound, Unprocessable
from common.forecast import ForecastCache
from common.ids import PATTERN
from common.translation import gettext_noop
from common.web.auth import Audience, current_watcher, restrict_to
from common.web.templating import content_policy
from db.engine import transaction
from db.models import Visibility
from streaming_service.pages.watch_routes import frame_html, load_watch_page
from streaming_service.services import services
from streaming_service.videos.library import get_video_for
from streaming_service.videos.presenters import Card, load_cards
from streaming_service.videos.social import fit, frame_size

_VIDEO_PATH = re.compile(rf"/(?:stream|embed)/({PATTERN})/?")

blueprint = Blueprint("embed", __name__)
restrict_to(blueprint, Audience.ANYBODY)


class UnknownFormat(MatineeError):
    """An oEmbed answer was asked for in another format than JSON (oEmbed 2.3.3)."""

    status = 501
    sentence = gettext_noop("oEmbed answers come as JSON only.")


@blueprint.get("/embed/<video:video_id>")
def embed(video_id: str) -> Response:
    """Show the player alone, for a frame. Nobody is led to the sign-in page, which has no frame."""
    here = services()
    try:
        page = load_watch_page(
            here.stores.database, current_watcher(), video_id, here.forecasts, alone=True
        )
    except LoginRequired as error:
        raise NotFound from error
    if page["video"].rejection_reason is not None:
        raise NotFound
    response = make_response(render_template("streaming/embed.html", **page, is_embedded=True))
    response.headers["Content-Security-Policy"] = content_policy(
        frame_ancestors=here.settings.frame_ancestors, media_origins=here.settings.media_origins
    )
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@blueprint.get("/oembed")
def oembed() -> dict[str, Any]:
    """Tell how a public video is embedded.

    :raises NotFound: the address is of no public video of this site.
    """
    if request.args.get("format", "json") != "json":
        raise UnknownFormat
    video_id = _video_of(request.args.get("url", ""))
    here = services()
    try:
        card = load_public(here.stores.database, video_id, here.forecasts)
    except LoginRequired as error:
        raise NotFound from error
    root, poster = request.host_url.rstrip("/"), card.processing.poster
    width, height = fit(frame_size(card.video), _limit("maxwidth"), _limit("maxheight"))
    thumbnail = {"thumbnail_width": 640, "thumbnail_height": 360}
    return {
        "version": "1.0",
        "type": "video",
        "provider_name": "Matinee",
        "provider_url": root,
        "width": width,
        "height": height,
        "html": frame_html(card.video, root, width, height),
        "title": card.video.title,
        "author_name": card.owner_name,
        **({"thumbnail_url": root + poster} | thumbnail if poster else {}),
    }


def _video_of(address: str) -> str:
    """Return the id of the video that an address of this site is of."""
    try:
        parts = urlsplit(address)
    except ValueError as error:  # such as a bracket without its pair
        raise NotFound from error
    match = _VIDEO_PATH.fullmatch(parts.path)
    if match is None or parts.netloc not in ("", request.host):
        raise NotFound
    return match[1]


def _limit(name: str) -> int | None:
    value = request.args.get(name)
    if value is None:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,4}", value):
        raise Unprocessable(f"“{name}” is a number of pixels.")
    return int(value)


@transaction(writes=False)
def load_public(session: Session, video_id: str, forecasts: ForecastCache) -> Card:
    """Return a public video.

    :raises LoginRequired: there is no such public video.
    """
    video = get_video_for(session, Watcher(None), video_id)
    if video.visibility is not Visibility.PUBLIC:
        raise LoginRequired
    return load_cards(session, Watcher(None), [video], forecasts)[0]
