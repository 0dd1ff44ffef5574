"""The tables: the one source of the schema.

Migrations are checked against this package, and `init.sql` against the migrations. Who writes what:
auth writes users, groups, invitations and settings; upload writes uploads and creates videos, each
with its first job; transcode writes jobs and renditions; upload and transcode write objects and
leases; streaming changes and marks videos, and writes captions, positions, collections, tags, and
with whom videos are shared. Every service adds to the audit log.
`db/grants.py` gives each service's MySQL user just that.
"""

from db.models.accounts import Invitation as Invitation
from db.models.accounts import InvitationGroup as InvitationGroup
from db.models.accounts import Logo as Logo
from db.models.accounts import PasswordLink as PasswordLink
from db.models.accounts import Role as Role
from db.models.accounts import Setting as Setting
from db.models.accounts import User as User
from db.models.base import CAPTION_LIMIT as CAPTION_LIMIT
from db.models.base import DESCRIPTION_LIMIT as DESCRIPTION_LIMIT
from db.models.base import FILE_NAME_LIMIT as FILE_NAME_LIMIT
from db.models.base import NAME_LIMIT as NAME_LIMIT
from db.models.base import NO_QUOTA as NO_QUOTA
from db.models.base import POSTER_LIMIT as POSTER_LIMIT
from db.models.base import REJECTION_LIMIT as REJECTION_LIMIT
from db.models.base import TITLE_LIMIT as TITLE_LIMIT
from db.models.base import Base as Base
from db.models.base import UTCDateTime as UTCDateTime
from db.models.base import now as now
from db.models.leases import Lease as Lease
from db.models.objects import ObjectState as ObjectState
from db.models.objects import StoredObject as StoredObject
from db.models.search import SearchWord as SearchWord
from db.models.sharing import LABEL_LIMIT as LABEL_LIMIT
from db.models.sharing import TAG_LIMIT as TAG_LIMIT
from db.models.sharing import AuditEntry as AuditEntry
from db.models.sharing import Collection as Collection
from db.models.sharing import CollectionItem as CollectionItem
from db.models.sharing import Grant as Grant
from db.models.sharing import Group as Group
from db.models.sharing import GroupMember as GroupMember
from db.models.sharing import GroupRole as GroupRole
from db.models.sharing import Level as Level
from db.models.sharing import Link as Link
from db.models.sharing import LinkVisit as LinkVisit
from db.models.sharing import SharedSeen as SharedSeen
from db.models.sharing import Tag as Tag
from db.models.sharing import VideoTag as VideoTag
from db.models.videos import Caption as Caption
from db.models.videos import Job as Job
from db.models.videos import JobKind as JobKind
from db.models.videos import JobState as JobState
from db.models.videos import Position as Position
from db.models.videos import PosterChoice as PosterChoice
from db.models.videos import Rendition as Rendition
from db.models.videos import RenditionKind as RenditionKind
from db.models.videos import Upload as Upload
from db.models.videos import UploadPart as UploadPart
from db.models.videos import Video as Video
from db.models.videos import Visibility as Visibility
from db.models.videos import Volume as Volume
