"""Captions of videos: put there by the owner, read by whoever may watch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from common.access import Viewer
from common.errors import NotFound, Unprocessable
from common.web.urls import watch_url
from db.models import CAPTION_LIMIT, Caption, Video
from streaming_service.languages import canonical_tag, name_of
from streaming_service.library import get_video_to_edit
from streaming_service.webvtt import read_captions
from streaming_service.wording import clean_line

_LABEL_LIMIT = 64  # characters
_TRACKS = 50  # of one video


@dataclass(frozen=True)
class Track:
    """What a player needs to know of a track of captions."""

    video_id: str
    language: str
    label: str

    @property
    def url(self) -> str:
        """Where its text is, relative to the site."""
        return f"{watch_url(self.video_id)}/captions/{self.language}.vtt"

    def as_json(self) -> dict[str, str]:
        """Return it for scripts."""
        return {"language": self.language, "label": self.label, "url": self.url}


def tracks_of(session: Session, videos: Sequence[Video]) -> Mapping[str, list[Track]]:
    """Return the tracks of each video that was not refused, by their labels."""
    ids = [video.id for video in videos if video.rejection_reason is None]
    wanted = select(Caption.video_id, Caption.language, Caption.label).where(
        Caption.video_id.in_(ids)
    )
    tracks: dict[str, list[Track]] = {video.id: [] for video in videos}
    for row in session.execute(wanted.order_by(Caption.label, Caption.language)):
        tracks[row.video_id].append(Track(row.video_id, row.language, row.label))
    return tracks


def get_caption(session: Session, video: Video, language: str) -> Caption:
    """Return a track of a video: those of a refused one are nobody's.

    :raises NotFound: there is none.
    """
    caption = session.get(Caption, (video.id, language))
    if caption is None or video.rejection_reason is not None:
        raise NotFound
    return caption


def add_caption(
    session: Session, viewer: Viewer, video_id: str, *, language: str, label: str, data: bytes
) -> Track:
    """Put a track of captions to a video, in place of one in the same language.

    :param language: a tag of BCP 47, in any case.
    :param label: what the menu shows; empty: the language's own name.
    :param data: WebVTT or SRT, up to 1 MiB.
    :raises NotFound: the video is not theirs to edit.
    :raises Unprocessable: something of it is wrong; the sentence says what.
    """
    video = get_video_to_edit(session, viewer, video_id)
    tag = canonical_tag(language)
    name = clean_line(label) or name_of(tag)
    if len(name) > _LABEL_LIMIT:
        raise Unprocessable(f"A name in the menu has {_LABEL_LIMIT} characters at most.")
    body = read_captions(data) if len(data) <= CAPTION_LIMIT else None
    if body is None or len(body.encode()) > CAPTION_LIMIT:
        raise Unprocessable("The captions are too large: 1 MiB is the most.")
    caption = session.get(Caption, (video_id, tag))
    if caption is None:
        if len(tracks_of(session, [video])[video_id]) >= _TRACKS:
            raise Unprocessable(f"A video has captions in {_TRACKS} languages at most.")
        caption = Caption(video_id=video_id, language=tag)
        session.add(caption)
    caption.label, caption.body = name, body
    return Track(video_id, tag, name)


def remove_caption(session: Session, viewer: Viewer, video_id: str, language: str) -> None:
    """Take a track of captions away.

    :raises NotFound: there is none, or the video is not theirs to edit.
    """
    get_video_to_edit(session, viewer, video_id)
    gone = delete(Caption).where(Caption.video_id == video_id, Caption.language == language)
    if cast("CursorResult[Any]", session.execute(gone)).rowcount == 0:
        raise NotFound
