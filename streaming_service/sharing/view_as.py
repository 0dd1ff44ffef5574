"""The watch page as somebody else gets it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from common.access import Viewer, Watcher, rights_of
from common.access_queries import groups_of, read_access
from common.audit import Action, Actor, record, require_signed_in
from common.errors import NotFound
from common.forecast import ForecastCache
from db.engine import transaction
from db.models import Role, User
from streaming_service.processing.view import load_processing
from streaming_service.sharing.access_list import AccessEntry, EntryKind, load_access_list
from streaming_service.videos.captions import caption_tracks
from streaming_service.videos.library import get_video_to_share
from streaming_service.videos.positions import Watched
from streaming_service.videos.presenters import Card

_SOMEBODY = 0  # the id of no account


@dataclass(frozen=True)
class Subject:
    """As whom to see a video: the entry with this grant, this link, or of this kind."""

    kind: str = ""
    grant: str = ""
    link: str = ""

    def is_entry(self, entry: AccessEntry) -> bool:
        """Tell whether an entry is meant. An account that is disabled sees nothing."""
        if entry.is_disabled:
            return False
        if self.grant or self.link:
            return (self.grant or None, self.link or None) == (entry.grant, entry.link)
        return self.kind == entry.kind and entry.kind in (EntryKind.MEMBERS, EntryKind.EVERYBODY)


@transaction(writes=True)
def load_page_as(
    session: Session, actor: Actor, video_id: str, subject: Subject, forecasts: ForecastCache
) -> dict[str, Any]:
    """Return what the template of the watch page takes, for somebody else; it is audited.

    :raises NotFound: the video is not the actor's to share, or nobody gets in by that entry.
    """
    video = get_video_to_share(session, require_signed_in(actor), video_id)
    entries = load_access_list(session, video).entries
    entry = next((entry for entry in entries if subject.is_entry(entry)), None)
    access = read_access(session, [video.id]).get(video.id)
    if entry is None or access is None:
        raise NotFound
    watcher = _watcher(session, entry)
    record(
        session,
        actor,
        Action.VIDEO_VIEWED_AS,
        video_id=video.id,
        object_id=entry.grant or entry.link or "",
        kind=entry.kind,
        # A label may say what is private: administrators are not shown that field.
        **{"label" if entry.kind is EntryKind.LINK else "name": entry.name},
    )
    rights = rights_of(watcher, access)
    processing = load_processing(session, [video], forecasts, {video.id: rights})[video.id]
    return {
        "video": video,
        "card": Card(video, rights, processing, Watched()),
        "tracks": caption_tracks(session, [video])[video.id],
        "viewing_as": entry,
    }


def _watcher(session: Session, entry: AccessEntry) -> Watcher:
    """Return who would ask: a person with all their groups, or somebody with one way in."""
    if entry.kind is EntryKind.LINK:
        return Watcher(None, links=frozenset({entry.link or ""}))
    if entry.kind is EntryKind.EVERYBODY:
        return Watcher(None)
    if entry.kind is EntryKind.USER:
        user = session.get_one(User, entry.user_id)
        return Watcher(Viewer(user.id, user.name, user.role), groups_of(session, user.id))
    groups = frozenset({entry.group_id}) if entry.group_id is not None else frozenset[str]()
    return Watcher(Viewer(_SOMEBODY, entry.name, Role.VIEWER), groups)
