"""Reading the audit log: of one video for those who may share it, and all of it for administrators.

`common.audit` writes it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from common.access import Viewer
from common.audit import Action
from common.errors import NotFound
from common.formatting import iso_time
from common.translation import gettext, gettext_noop
from db.engine import Database, transaction
from db.models import AuditEntry
from streaming_service.videos.audit_words import describe_details
from streaming_service.videos.library import get_video_to_share

PAGE = 50  # entries
_EXPORT_PAGE = 1000  # entries that are read at once
# Names that people give to what is private. Administrators are not told those of others.
_PRIVATE_DETAILS = frozenset({"title", "label"})

_WORDS: Mapping[str, str] = {
    Action.VIDEO_VISIBILITY: gettext_noop("Changed who can watch"),
    Action.VIDEO_BINNED: gettext_noop("Moved the video to the bin"),
    Action.VIDEO_RESTORED: gettext_noop("Restored the video"),
    Action.VIDEO_DELETED: gettext_noop("Deleted the video for good"),
    Action.VIDEO_VIEWED_AS: gettext_noop("Viewed the page as somebody else"),
    Action.GRANT_CREATED: gettext_noop("Shared with somebody"),
    Action.GRANT_CHANGED: gettext_noop("Changed what somebody may do"),
    Action.GRANT_REMOVED: gettext_noop("Stopped sharing with somebody"),
    Action.LINK_CREATED: gettext_noop("Created a link"),
    Action.LINK_CHANGED: gettext_noop("Changed a link"),
    Action.LINK_REVOKED: gettext_noop("Revoked a link"),
    Action.LINK_OPENED: gettext_noop("Opened a link"),
    Action.COLLECTION_CREATED: gettext_noop("Created a collection"),
    Action.COLLECTION_CHANGED: gettext_noop("Changed a collection"),
    Action.COLLECTION_DELETED: gettext_noop("Deleted a collection"),
    Action.COLLECTION_ITEM_ADDED: gettext_noop("Added to a collection"),
    Action.COLLECTION_ITEM_REMOVED: gettext_noop("Removed from a collection"),
    Action.GROUP_CREATED: gettext_noop("Created a group"),
    Action.GROUP_CHANGED: gettext_noop("Changed a group"),
    Action.GROUP_DELETED: gettext_noop("Deleted a group"),
    Action.GROUP_MEMBER_ADDED: gettext_noop("Added a member to a group"),
    Action.GROUP_MEMBER_CHANGED: gettext_noop("Changed a member of a group"),
    Action.GROUP_MEMBER_REMOVED: gettext_noop("Removed a member from a group"),
    Action.ACCOUNT_CREATED: gettext_noop("Created an account"),
    Action.ACCOUNT_ROLE: gettext_noop("Changed an account's role"),
    Action.ACCOUNT_DISABLED: gettext_noop("Disabled an account"),
    Action.ACCOUNT_ENABLED: gettext_noop("Enabled an account"),
    Action.ACCOUNT_QUOTA: gettext_noop("Changed an account's quota"),
    Action.ACCOUNT_NEW_PASSWORD: gettext_noop("Changed an account's password"),
    Action.ACCOUNT_RENAMED: gettext_noop("Renamed an account"),
    Action.ACCOUNT_PASSWORD_LINK: gettext_noop("Created a password link for an account"),
    Action.ACCOUNT_DELETED: gettext_noop("Deleted an account"),
    Action.INVITATION_CREATED: gettext_noop("Created an invitation"),
    Action.INVITATION_REVOKED: gettext_noop("Revoked an invitation"),
    Action.INVITATION_USED: gettext_noop("Used an invitation"),
    Action.SETTING_CHANGED: gettext_noop("Changed a setting of the site"),
}


@dataclass(frozen=True)
class AuditView:
    """An entry as somebody may see it.

    :ivar details: what was recorded besides, without what is not for the reader.
    :ivar with_origin: whether the reader is told the address and the request's id.
    """

    entry: AuditEntry
    details: dict[str, Any]
    with_origin: bool

    @property
    def words(self) -> str:
        """What happened, for people."""
        words = _WORDS.get(self.entry.action)
        return gettext(words) if words else self.entry.action

    @property
    def facts(self) -> str:
        """The details, for people: `before: private, visibility: public`."""
        return describe_details(self.details)

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts."""
        entry = self.entry
        origin = {"address": entry.address, "request": entry.request_id}
        return {
            "id": entry.id,
            "at": iso_time(entry.at),
            "actor": entry.actor_name or None,
            "action": entry.action,
            "video": entry.video_id,
            "object": entry.object_id or None,
            "details": self.details,
        } | (origin if self.with_origin else {})


@dataclass(frozen=True)
class AuditPage:
    """A page of the log, the latest first, and the cursor of the next page, if there is one."""

    entries: list[AuditView]
    next: int | None


@transaction(writes=False)
def list_audit(
    session: Session,
    viewer: Viewer,
    *,
    video_id: str | None,
    after: int | None = None,
    limit: int = PAGE,
) -> AuditPage:
    """Return a page of the log.

    Of a video, whoever may share it sees the entries, and its owner the addresses too.

    :param video_id: of one video; None: of everything, for administrators.
    :param after: the cursor of the page before, from its :class:`AuditPage`.
    :raises NotFound: they may not share the video, or are no administrator.
    """
    wanted = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit + 1)
    if video_id is not None:
        video = get_video_to_share(session, viewer, video_id)
        wanted = wanted.where(AuditEntry.video_id == video_id)
        with_origin = video.owner_id == viewer.id or viewer.may_administer
    elif viewer.may_administer:
        with_origin = True
    else:
        raise NotFound
    if after is not None:
        wanted = wanted.where(AuditEntry.id < after)
    found = session.scalars(wanted).all()
    hidden = _PRIVATE_DETAILS if video_id is None else frozenset[str]()
    views = [_view(entry, hidden, with_origin=with_origin) for entry in found[:limit]]
    return AuditPage(views, found[limit - 1].id if len(found) > limit else None)


def _view(entry: AuditEntry, hidden: frozenset[str], *, with_origin: bool) -> AuditView:
    try:
        details = json.loads(entry.details)
    except ValueError:  # it was longer than the column, and cut
        details = {"text": entry.details}
    shown = {name: value for name, value in details.items() if name not in hidden}
    return AuditView(entry, shown, with_origin)


def export_audit(database: Database, viewer: Viewer, *, video_id: str | None) -> Iterator[str]:
    """Return the log as JSON lines, the latest entry first, read a piece at a time.

    :raises NotFound: as :func:`list_audit`; before the first line.
    """
    page = list_audit(database, viewer, video_id=video_id, limit=_EXPORT_PAGE)
    return _lines(database, viewer, video_id, page)


def _lines(
    database: Database, viewer: Viewer, video_id: str | None, page: AuditPage
) -> Iterator[str]:
    while True:
        for view in page.entries:
            yield json.dumps(view.as_json(), ensure_ascii=False) + "\n"
        if page.next is None:
            return
        page = list_audit(database, viewer, video_id=video_id, after=page.next, limit=_EXPORT_PAGE)
