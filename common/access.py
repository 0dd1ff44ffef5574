"""Who may do what. Pure functions, and the only place where it is decided.

Nobody's standing opens a private video: an administrator looks after accounts, and may take down
what others made visible, but does not see what they keep to themselves.
"""

from dataclasses import dataclass

from db.models import Role, Visibility


@dataclass(frozen=True)
class Viewer:
    """Somebody who is signed in, as their session tells it."""

    id: int
    name: str
    role: Role

    @property
    def may_upload(self) -> bool:
        """Whether this account may bring videos in."""
        return self.role in (Role.UPLOADER, Role.ADMIN)

    @property
    def may_administer(self) -> bool:
        """Whether this account looks after the others."""
        return self.role is Role.ADMIN


@dataclass(frozen=True)
class VideoAccess:
    """What decides on access to a video; `owner_id` is None once it has been deleted.

    :ivar downloadable: whether whoever may watch it may also keep the original.
    :ivar playable: whether browsers can be offered the original.
    """

    owner_id: int | None
    visibility: Visibility
    downloadable: bool = False
    playable: bool = True


def may_watch(viewer: Viewer | None, video: VideoAccess) -> bool:
    """Tell whether somebody (None: signed out) may see that the video is there, and watch it."""
    if video.owner_id is None:
        return False
    if video.visibility is Visibility.PUBLIC:
        return True
    if viewer is None:
        return False
    return video.visibility is Visibility.MEMBERS or viewer.id == video.owner_id


def may_play_original(viewer: Viewer | None, video: VideoAccess) -> bool:
    """Tell whether somebody may watch the original itself: others see what is made of it."""
    return may_watch(viewer, video) and video.playable


def may_download(viewer: Viewer | None, video: VideoAccess) -> bool:
    """Tell whether somebody may keep the original: its owner, and others if the owner lets them."""
    return may_watch(viewer, video) and (video.downloadable or may_edit(viewer, video))


def may_edit(viewer: Viewer | None, video: VideoAccess) -> bool:
    """Tell whether somebody may rename, describe and share the video: its owner alone."""
    return viewer is not None and viewer.id == video.owner_id


def may_remove(viewer: Viewer | None, video: VideoAccess) -> bool:
    """Tell whether somebody may delete the video: its owner, or an administrator who can see it."""
    if viewer is None:
        return False
    return may_edit(viewer, video) or (viewer.may_administer and may_watch(viewer, video))
