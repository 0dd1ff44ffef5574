"""Captions of videos: added by the owner, read by those who may watch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from common.access import Viewer, Watcher
from common.errors import NotFound, Unprocessable
from common.titles import clean_line
from common.translation import gettext
from common.web.urls import watch_url
from db.engine import change_rows, transaction
from db.models import CAPTION_LIMIT, Caption, Video
from streaming_service.videos.languages import canonical_tag, name_of
from streaming_service.videos.library import get_video_for, get_video_to_edit
from streaming_service.videos.webvtt import read_captions

_LABEL_LIMIT = 64  # characters
_TRACK_LIMIT = 50  # per video


@dataclass(frozen=True)
class CaptionTrack:
    """What a player needs to know of a caption track."""

    video_id: str
    language: str
    label: str

    @property
    def url(self) -> str:
        """The URL of its text, relative to the site."""
        return f"{watch_url(self.video_id)}/captions/{self.language}.vtt"

    def as_json(self) -> dict[str, str]:
        """Return it for scripts."""
        return {"language": self.language, "label": self.label, "url": self.url}


@transaction(writes=False)
def caption_tracks(session: Session, videos: Sequence[Video]) -> Mapping[str, list[CaptionTrack]]:
    """Return the tracks of each video, sorted by label; a rejected video has none."""
    ids = [video.id for video in videos if video.rejection_reason is None]
    wanted = select(Caption.video_id, Caption.language, Caption.label).where(
        Caption.video_id.in_(ids)
    )
    tracks: dict[str, list[CaptionTrack]] = {video.id: [] for video in videos}
    for row in session.execute(wanted.order_by(Caption.label, Caption.language)):
        tracks[row.video_id].append(CaptionTrack(row.video_id, row.language, row.label))
    return tracks


@transaction(writes=False)
def get_caption(session: Session, watcher: Watcher, video_id: str, language: str) -> Caption:
    """Return a caption track of a video that somebody may watch.

    :raises LoginRequired: nobody is signed in, and they may not watch the video.
    :raises NotFound: there is no such track, or the video was rejected or is not for them.
    """
    video = get_video_for(session, watcher, video_id)
    caption = session.get(Caption, (video.id, language))
    if caption is None or video.rejection_reason is not None:
        raise NotFound
    return caption


@transaction(writes=True)
def add_caption(
    session: Session, viewer: Viewer, video_id: str, *, language: str, label: str, data: bytes
) -> CaptionTrack:
    """Add a caption track to a video, or replace the one in the same language.

    Call it through `streaming_service.videos.changes.upsert`: two requests may add the same track.

    :param language: a BCP 47 tag, in any case.
    :param label: shown in the menu; if empty, the language's own name.
    :param data: WebVTT or SRT, up to 1 MiB.
    :raises NotFound: the video is not theirs to edit.
    :raises Unprocessable: language, label or file is wrong; the sentence says what.
    """
    video = get_video_to_edit(session, viewer, video_id)
    tag = canonical_tag(language)
    name = clean_line(label) or name_of(tag)
    if len(name) > _LABEL_LIMIT:
        raise Unprocessable(
            gettext(
                "A name in the menu has %(label_limit)s characters at most.",
                label_limit=_LABEL_LIMIT,
            )
        )
    body = read_captions(data) if len(data) <= CAPTION_LIMIT else None
    if body is None or len(body.encode()) > CAPTION_LIMIT:
        raise Unprocessable(gettext("The captions are too large. The limit is 1 MB."))
    caption = session.get(Caption, (video_id, tag))
    if caption is None:
        if len(caption_tracks(session, [video])[video_id]) >= _TRACK_LIMIT:
            raise Unprocessable(
                gettext(
                    "A video has captions in %(track_limit)s languages at most.",
                    track_limit=_TRACK_LIMIT,
                )
            )
        caption = Caption(video_id=video_id, language=tag)
        session.add(caption)
    caption.label, caption.body = name, body
    return CaptionTrack(video_id, tag, name)


@transaction(writes=True)
def remove_caption(session: Session, viewer: Viewer, video_id: str, language: str) -> None:
    """Remove a caption track.

    :raises NotFound: there is none, or the video is not theirs to edit.
    """
    get_video_to_edit(session, viewer, video_id)
    statement = delete(Caption).where(Caption.video_id == video_id, Caption.language == language)
    if change_rows(session, statement) == 0:
        raise NotFound
