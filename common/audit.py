"""The audit log: who changed what, when, and from where. Entries are only ever added.

An entry is written in the transaction of its change, so that neither is there without the other.
"""

import enum
import json
from dataclasses import dataclass

from sqlalchemy.orm import Session

from common.access import Viewer
from common.errors import LoginRequired
from db.models import AuditEntry

_LIMIT = 60_000  # bytes of an entry's details; MySQL's TEXT holds 64 KiB


class Action(enum.StrEnum):
    """What can happen. The words are part of the API and of what was stored; they do not change."""

    VIDEO_VISIBILITY = "video.visibility"
    VIDEO_BINNED = "video.binned"
    VIDEO_RESTORED = "video.restored"
    VIDEO_DELETED = "video.deleted"
    VIDEO_VIEWED_AS = "video.viewed_as"
    GRANT_CREATED = "grant.created"
    GRANT_CHANGED = "grant.changed"
    GRANT_REMOVED = "grant.removed"
    LINK_CREATED = "link.created"
    LINK_CHANGED = "link.changed"
    LINK_REVOKED = "link.revoked"
    LINK_OPENED = "link.opened"
    COLLECTION_CREATED = "collection.created"
    COLLECTION_CHANGED = "collection.changed"
    COLLECTION_DELETED = "collection.deleted"
    COLLECTION_ITEM_ADDED = "collection.item_added"
    COLLECTION_ITEM_REMOVED = "collection.item_removed"
    GROUP_CREATED = "group.created"
    GROUP_CHANGED = "group.changed"
    GROUP_DELETED = "group.deleted"
    GROUP_MEMBER_ADDED = "group.member_added"
    GROUP_MEMBER_CHANGED = "group.member_changed"
    GROUP_MEMBER_REMOVED = "group.member_removed"
    ACCOUNT_CREATED = "account.created"
    ACCOUNT_ROLE = "account.role"
    ACCOUNT_DISABLED = "account.disabled"
    ACCOUNT_ENABLED = "account.enabled"
    ACCOUNT_QUOTA = "account.quota"
    ACCOUNT_NEW_PASSWORD = "account.password"  # noqa: S105 - the name of an action
    ACCOUNT_DELETED = "account.deleted"
    ACCOUNT_RENAMED = "account.renamed"
    ACCOUNT_PASSWORD_LINK = "account.password_link"  # noqa: S105 - the name of an action
    INVITATION_CREATED = "invitation.created"
    INVITATION_REVOKED = "invitation.revoked"
    INVITATION_USED = "invitation.used"
    SETTING_CHANGED = "setting.changed"


@dataclass(frozen=True)
class Actor:
    """Who changes something.

    :ivar viewer: who is signed in; None: a visitor, or the operator's command line.
    :ivar address: the client's.
    :ivar request_id: by which the log lines of the request are found.
    """

    viewer: Viewer | None
    address: str = ""
    request_id: str = ""


def require_signed_in(actor: Actor) -> Viewer:
    """Return who is signed in.

    :raises LoginRequired: nobody is.
    """
    if actor.viewer is None:
        raise LoginRequired
    return actor.viewer


def record(
    session: Session,
    actor: Actor,
    action: Action,
    *,
    video_id: str | None = None,
    object_id: str = "",
    **details: object,
) -> None:
    """Add an entry to the log.

    :param object_id: of what was changed: a grant, link, collection, group or account.
    :param details: what else to tell, as JSON; never a password, a token or its hash.
    """
    entry = AuditEntry(
        actor_id=actor.viewer.id if actor.viewer else None,
        actor_name=actor.viewer.name if actor.viewer else "",
        action=action,
        video_id=video_id,
        object_id=object_id,
        details=_cut(json.dumps(details, ensure_ascii=False, default=str)),
        address=actor.address[:64],
        request_id=actor.request_id[:64],
    )
    session.add(entry)


def _cut(text: str) -> str:
    return text.encode()[:_LIMIT].decode(errors="ignore")
