"""The tables: the one source of the schema.

Migrations are checked against this package, and `init.sql` against the migrations. Who writes what:
auth writes users, groups, invitations and settings; upload writes uploads and creates videos, each
with its first job; transcode writes jobs and renditions; upload and transcode write objects and
leases; streaming changes and marks videos, and writes captions, positions, collections, tags, and
with whom videos are shared. Every service adds to the audit log.
`db/grants.py` gives each service's MySQL user just that.
"""

from db.models.accounts import (
    Invitation,
    InvitationGroup,
    Logo,
    PasswordLink,
    Role,
    Setting,
    User,
)
from db.models.base import (
    CAPTION_LIMIT,
    DESCRIPTION_LIMIT,
    FILE_NAME_LIMIT,
    NAME_LIMIT,
    NO_QUOTA,
    POSTER_LIMIT,
    REJECTION_LIMIT,
    TITLE_LIMIT,
    Base,
    UTCDateTime,
    now,
)
from db.models.leases import Lease
from db.models.objects import ObjectState, StoredObject
from db.models.search import SearchWord
from db.models.sharing import (
    LABEL_LIMIT,
    TAG_LIMIT,
    AuditEntry,
    Collection,
    CollectionItem,
    Grant,
    Group,
    GroupMember,
    GroupRole,
    Level,
    Link,
    LinkVisit,
    SharedSeen,
    Tag,
    VideoTag,
)
from db.models.videos import (
    Caption,
    Job,
    JobKind,
    JobState,
    Position,
    PosterChoice,
    Rendition,
    RenditionKind,
    Upload,
    UploadPart,
    Video,
    Visibility,
    Volume,
)

__all__ = [
    "CAPTION_LIMIT",
    "DESCRIPTION_LIMIT",
    "FILE_NAME_LIMIT",
    "LABEL_LIMIT",
    "NAME_LIMIT",
    "NO_QUOTA",
    "POSTER_LIMIT",
    "REJECTION_LIMIT",
    "TAG_LIMIT",
    "TITLE_LIMIT",
    "AuditEntry",
    "Base",
    "Caption",
    "Collection",
    "CollectionItem",
    "Grant",
    "Group",
    "GroupMember",
    "GroupRole",
    "Invitation",
    "InvitationGroup",
    "Job",
    "JobKind",
    "JobState",
    "Lease",
    "Level",
    "Link",
    "LinkVisit",
    "Logo",
    "ObjectState",
    "PasswordLink",
    "Position",
    "PosterChoice",
    "Rendition",
    "RenditionKind",
    "Role",
    "SearchWord",
    "Setting",
    "SharedSeen",
    "StoredObject",
    "Tag",
    "UTCDateTime",
    "Upload",
    "UploadPart",
    "User",
    "Video",
    "VideoTag",
    "Visibility",
    "Volume",
    "now",
]
