"""Who may do what. Pure functions, and the only place where it is decided.

No role grants access to someone else's private video. An administrator manages accounts, and may
delete what others made visible.
"""

from dataclasses import dataclass

from db.models import Role, Visibility


@dataclass(frozen=True)
class Viewer:
    """Somebody who is signed in, as their session says."""

    id: int
    name: str
    role: Role

    @property
    def may_upload(self) -> bool:
        """Whether this account may upload videos."""
        return self.role in (Role.UPLOADER, Role.ADMIN)

    @property
    def may_administer(self) -> bool:
        """Whether this account manages the others."""
        return self.role is Role.ADMIN


@dataclass(frozen=True)
class VideoAccess:
    """What decides on access to a video; `owner_id` is None once it is deleted.

    :ivar downloadable: whether everybody who may watch it may also download the original.
    :ivar playable: whether browsers can play the original.
    """

    owner_id: int | None
    visibility: Visibility
    downloadable: bool = False
    playable: bool = True


def may_watch(viewer: Viewer | None, video: VideoAccess) -> bool:
    """Tell whether a viewer (None: signed out) may see and watch a video."""
    if video.owner_id is None:
        return False
    if video.visibility is Visibility.PUBLIC:
        return True
    if viewer is None:
        return False
    return video.visibility is Visibility.MEMBERS or viewer.id == video.owner_id


def may_play_original(viewer: Viewer | None, video: VideoAccess) -> bool:
    """Tell whether a viewer may play the original; one that browsers cannot play is not offered."""
    return may_watch(viewer, video) and video.playable


def may_download(viewer: Viewer | None, video: VideoAccess) -> bool:
    """Tell whether a viewer may download the original: its owner, or others if allowed."""
    return may_watch(viewer, video) and (video.downloadable or may_edit(viewer, video))


def may_edit(viewer: Viewer | None, video: VideoAccess) -> bool:
    """Tell whether a viewer may edit a video and change its visibility: its owner only."""
    return viewer is not None and viewer.id == video.owner_id


def may_remove(viewer: Viewer | None, video: VideoAccess) -> bool:
    """Tell whether a viewer may delete a video: its owner, or an administrator who may watch it."""
    if viewer is None:
        return False
    return may_edit(viewer, video) or (viewer.may_administer and may_watch(viewer, video))
