"""Who may do what. Pure functions, and the only place where it is decided.

A video can be seen by its owner, by those its visibility names, by those a grant names, and by
whoever opened a link. Each of these is a reason; nothing denies. No role grants access to someone
else's private video. An administrator manages accounts, and may delete what others made visible.

`common.access_queries` has the same rules in SQL; a test holds both equal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from db.models import Level, Role, Visibility, now

_ORDER = list(Level)


@dataclass(frozen=True)
class Viewer:
    """Somebody who is signed in, as their session says.

    :ivar language: of `common.translation.LANGUAGES`; None is that of the browser.
    """

    id: int
    name: str
    role: Role
    language: str | None = None

    @property
    def may_upload(self) -> bool:
        """Whether this account may upload videos."""
        return self.role in (Role.UPLOADER, Role.ADMIN)

    @property
    def may_administer(self) -> bool:
        """Whether this account manages the others."""
        return self.role is Role.ADMIN


@dataclass(frozen=True)
class Watcher:
    """Who asks for a video, and when.

    :ivar viewer: who is signed in, or None.
    :ivar groups: ids of the viewer's groups.
    :ivar links: ids of the links that this browser has opened.
    """

    viewer: Viewer | None
    groups: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    at: datetime = field(default_factory=now)


@dataclass(frozen=True)
class EffectiveGrant:
    """A grant that reaches a video, directly or through a collection.

    :ivar collection_id: the collection it was made for; None: the video itself.
    :ivar expires_at: when it ends, or when the collection's owner may no longer share the video.
    """

    id: str
    level: Level
    user_id: int | None = None
    group_id: str | None = None
    collection_id: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class EffectiveLink:
    """A link that reaches a video, directly or through a collection; as :class:`EffectiveGrant`."""

    id: str
    level: Level
    collection_id: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class VideoAccess:
    """What decides on access to a video; `owner_id` is None once it is deleted.

    :ivar keys: of its files that are in the object store, by their paths in the video's folder. The
        delivery of files alone reads them; they decide nothing.
    :ivar downloadable: whether those to whom it is visible may also download the original.
    :ivar playable: whether browsers can play the original.
    :ivar is_binned: whether it is in its owner's bin, where nobody else sees it.
    """

    owner_id: int | None
    visibility: Visibility
    downloadable: bool = False
    playable: bool = True
    is_binned: bool = False
    grants: tuple[EffectiveGrant, ...] = ()
    links: tuple[EffectiveLink, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reason:
    """One reason why somebody may watch a video, and what it allows.

    :ivar streams_only: whether it opens HLS alone, and neither the original nor the download.
    """

    level: Level
    streams_only: bool = False


def includes(level: Level, other: Level) -> bool:
    """Tell whether a level includes another one."""
    return _ORDER.index(level) >= _ORDER.index(other)


def highest(levels: Iterable[Level]) -> Level | None:
    """Return the highest of some levels; None: there are none."""
    return max(levels, key=_ORDER.index, default=None)


def access_reasons(watcher: Watcher, video: VideoAccess) -> list[Reason]:
    """Return every reason why somebody may watch a video; none: they may not."""
    viewer = watcher.viewer
    if video.owner_id is None:
        return []
    reasons = []
    if viewer is not None and viewer.id == video.owner_id:
        reasons.append(Reason(Level.SHARE))
    if video.is_binned:
        return reasons
    if _is_visible(viewer, video):
        reasons.append(Reason(Level.DOWNLOAD if video.downloadable else Level.WATCH))
    shares: list[EffectiveGrant | EffectiveLink] = [
        *(grant for grant in video.grants if _names(grant, watcher)),
        *(link for link in video.links if link.id in watcher.links),
    ]
    for share in shares:
        if share.expires_at is None or watcher.at < share.expires_at:
            reasons.append(Reason(share.level, streams_only=share.level is Level.WATCH))
    return reasons


def _is_visible(viewer: Viewer | None, video: VideoAccess) -> bool:
    if video.visibility is Visibility.PUBLIC:
        return True
    return video.visibility is Visibility.MEMBERS and viewer is not None


def _names(grant: EffectiveGrant, watcher: Watcher) -> bool:
    if watcher.viewer is None:
        return False
    return grant.user_id == watcher.viewer.id or grant.group_id in watcher.groups


def may_watch(watcher: Watcher, video: VideoAccess) -> bool:
    """Tell whether somebody may see a video and play its renditions."""
    return bool(access_reasons(watcher, video))


def may_play_original(watcher: Watcher, video: VideoAccess) -> bool:
    """Tell whether somebody may play the original; one that browsers cannot play is not offered."""
    return video.playable and any(
        not reason.streams_only for reason in access_reasons(watcher, video)
    )


def may_download(watcher: Watcher, video: VideoAccess) -> bool:
    """Tell whether somebody may download the original."""
    return _has_level(watcher, video, Level.DOWNLOAD)


def may_edit(watcher: Watcher, video: VideoAccess) -> bool:
    """Tell whether somebody may change title, description, captions and tags."""
    return _has_level(watcher, video, Level.EDIT)


def may_share(watcher: Watcher, video: VideoAccess) -> bool:
    """Tell whether somebody may decide who else watches a video."""
    return _has_level(watcher, video, Level.SHARE)


def may_remove(watcher: Watcher, video: VideoAccess) -> bool:
    """Tell whether somebody may delete a video: its owner, or an administrator if it is visible."""
    viewer = watcher.viewer
    if viewer is None or video.owner_id is None:
        return False
    if viewer.id == video.owner_id:
        return True
    return viewer.may_administer and not video.is_binned and _is_visible(viewer, video)


@dataclass(frozen=True)
class Rights:
    """What somebody may do with a video: every rule of this module at once."""

    owns: bool
    watch: bool
    play_original: bool
    download: bool
    edit: bool
    share: bool
    remove: bool


def rights_of(watcher: Watcher, video: VideoAccess) -> Rights:
    """Return what somebody may do with a video."""
    return Rights(
        owns=is_owner(watcher.viewer, video),
        watch=may_watch(watcher, video),
        play_original=may_play_original(watcher, video),
        download=may_download(watcher, video),
        edit=may_edit(watcher, video),
        share=may_share(watcher, video),
        remove=may_remove(watcher, video),
    )


def is_owner(viewer: Viewer | None, video: VideoAccess) -> bool:
    """Tell whether a video belongs to a viewer."""
    return viewer is not None and viewer.id == video.owner_id


def _has_level(watcher: Watcher, video: VideoAccess, level: Level) -> bool:
    return any(includes(reason.level, level) for reason in access_reasons(watcher, video))
