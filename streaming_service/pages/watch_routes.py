"""The watch page, and the caption tracks that its player loads.

GET  /stream/<video>
GET  /stream/<video>/captions/<language>.vtt
"""

from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from common.access import Watcher
from common.forecast import ForecastCache
from common.translation import gettext_noop
from common.web.auth import Audience, current_watcher, restrict_to
from common.web.notices import notice_of
from common.web.services import stores
from common.web.templating import content_policy
from common.web.urls import watch_url
from db.engine import transaction
from db.models import Video, Visibility
from streaming_service.collections.listing import editable_collections
from streaming_service.processing.view import first_playlists
from streaming_service.services import services
from streaming_service.sharing.access_list import load_access_list
from streaming_service.videos.arriving import find_arriving
from streaming_service.videos.captions import caption_tracks, get_caption
from streaming_service.videos.following import load_following
from streaming_service.videos.library import get_video_for
from streaming_service.videos.presenters import load_cards
from streaming_service.videos.social import frame_size, social_tags

_NOTICES = {
    "again": gettext_noop("It is being tried again."),
    "collected": gettext_noop("The video is in the collection."),
    "saved": gettext_noop("Your changes are saved."),
    "restored": gettext_noop("The video is restored, with everyone who could watch it."),
}

# As the front server sends them with media files.
_MEDIA_HEADERS = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

# Anybody may watch a public video; the rules of access decide on each.
blueprint = Blueprint("watch", __name__)
restrict_to(blueprint, Audience.ANYBODY)


@blueprint.after_request
def allow_cdn(response: Response) -> Response:
    """Let the player get segments from the CDN, if there is one."""
    if origins := services().settings.media_origins:
        policy = content_policy(media_origins=origins)
        response.headers.setdefault("Content-Security-Policy", policy)
    return response


@blueprint.get("/stream/<video:video_id>")
def watch(video_id: str) -> str:
    """Show a video and its player. Signed out, a private one looks like one that is not there."""
    here = services()
    watcher = current_watcher()
    arriving = find_arriving(here.stores.database, watcher.viewer, video_id)
    if arriving is not None:
        return render_template("streaming/arriving.html", upload=arriving)
    page = load_watch_page(
        here.stores.database,
        watcher,
        video_id,
        here.forecasts,
        collection_id=request.args.get("in", ""),
    )
    video: Video = page["video"]
    template = "streaming/rejected.html" if video.rejection_reason else "streaming/watch.html"
    root = request.host_url.rstrip("/")
    poster = page["card"].processing.poster
    is_embeddable = here.settings.embed_origins and video.visibility is Visibility.PUBLIC
    return render_template(
        template,
        **page,
        embed_code=frame_html(video, root, *frame_size(video)) if is_embeddable else None,
        social_tags=social_tags(video, root=root, poster=poster),
        oembed_url=f"{root}/oembed?url={quote(root + watch_url(video_id), safe='')}",
        bin_days=here.bin_days,
        notice=notice_of(_NOTICES),
    )


def frame_html(video: Video, root: str, width: int, height: int) -> str:
    """Return the HTML that shows a video in another site's page.

    :param root: of this site, such as `https://video.example.org`.
    """
    src = f"{root}/embed/{video.id}"
    return render_template(
        "streaming/frame.html", src=src, title=video.title, width=width, height=height
    )


@transaction(writes=False)
def load_watch_page(
    session: Session,
    watcher: Watcher,
    video_id: str,
    forecasts: ForecastCache,
    *,
    collection_id: str = "",
    alone: bool = False,
) -> dict[str, Any]:
    """Return what the template of the watch page takes.

    :param collection_id: of the collection that is being played; one that the viewer may not open
        is ignored.
    :param alone: nothing is offered beside the video.
    :raises LoginRequired, NotFound: as :func:`get_video_for`.
    """
    video = get_video_for(session, watcher, video_id)
    card = load_cards(session, watcher, [video], forecasts)[0]
    following = (
        None
        if alone
        else load_following(session, watcher, video, forecasts, collection_id=collection_id)
    )
    return {
        "video": video,
        "card": card,
        # Came by a share link: they see the player, and nothing else of the site.
        "is_guest": watcher.viewer is None and video.visibility is not Visibility.PUBLIC,
        "tracks": caption_tracks(session, [video])[video.id],
        "access": load_access_list(session, video) if card.rights.share else None,
        "following": following,
        "first_playlists": first_playlists(session, video_id) if card.processing.master else [],
        "collections": editable_collections(session, watcher, video_id) if watcher.viewer else [],
    }


@blueprint.get("/stream/<video:video_id>/captions/<language:language>.vtt")
def captions(video_id: str, language: str) -> AnyResponse:
    """Send a caption track to those who may have the video's other media."""
    caption = get_caption(stores().database, current_watcher(), video_id, language)
    response = Response(caption.body, mimetype="text/vtt", headers=_MEDIA_HEADERS)
    response.add_etag()
    return response.make_conditional(request)
