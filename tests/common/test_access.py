"""The rules of access over every combination of viewer, role, owner and visibility."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from common.access import (
    EffectiveGrant,
    EffectiveLink,
    VideoAccess,
    Viewer,
    Watcher,
    may_edit,
    may_remove,
    may_watch,
)
from db.models import Level, Role, Visibility

OWNER, OTHER = 1, 2
VIEWERS = [
    None,
    *(
        Viewer(id=user_id, name="somebody", role=role)
        for user_id, role in itertools.product((OWNER, OTHER), Role)
    ),
]
VIDEOS = [
    VideoAccess(owner_id=owner_id, visibility=visibility)
    for owner_id, visibility in itertools.product((OWNER, None), Visibility)
]
EVERY_CASE = list(itertools.product(VIEWERS, VIDEOS))


@pytest.mark.parametrize(("viewer", "video"), EVERY_CASE)
def test_the_rules_hold(viewer: Viewer | None, video: VideoAccess) -> None:
    """Written out once more, in other words than the code's."""
    there = video.owner_id is not None
    owns = there and viewer is not None and viewer.id == OWNER
    open_to_viewer = {
        Visibility.PRIVATE: owns,
        Visibility.MEMBERS: viewer is not None,
        Visibility.PUBLIC: True,
    }[video.visibility]
    administers = viewer is not None and viewer.role is Role.ADMIN

    assert may_watch(Watcher(viewer), video) == (there and open_to_viewer)
    assert may_edit(Watcher(viewer), video) == owns
    assert may_remove(Watcher(viewer), video) == (
        owns or (administers and there and open_to_viewer)
    )


def test_each_right_includes_the_one_before() -> None:
    for viewer, video in EVERY_CASE:
        if may_edit(Watcher(viewer), video):
            assert may_remove(Watcher(viewer), video)
        if may_remove(Watcher(viewer), video):
            assert may_watch(Watcher(viewer), video)


def test_no_role_opens_what_is_private() -> None:
    for role in Role:
        stranger = Watcher(Viewer(id=OTHER, name="somebody", role=role))
        assert not may_watch(stranger, VideoAccess(OWNER, Visibility.PRIVATE))
        assert not may_remove(stranger, VideoAccess(OWNER, Visibility.PRIVATE))


@pytest.mark.parametrize(("seconds", "holds"), [(-1, True), (0, False), (1, False)])
def test_what_ends_is_over_from_that_moment_on(seconds: int, holds: bool) -> None:
    end = datetime(2030, 1, 1, tzinfo=UTC)
    grant = EffectiveGrant("g", Level.WATCH, user_id=OTHER, expires_at=end)
    link = EffectiveLink("l", Level.WATCH, expires_at=end)
    video = VideoAccess(OWNER, Visibility.PRIVATE, grants=(grant,), links=(link,))
    at = end + timedelta(seconds=seconds)
    other = Viewer(id=OTHER, name="somebody", role=Role.VIEWER)

    assert may_watch(Watcher(other, at=at), video) == holds
    assert may_watch(Watcher(None, links=frozenset({"l"}), at=at), video) == holds


def test_what_each_role_may_do() -> None:
    rights = {
        role: (viewer.may_upload, viewer.may_administer)
        for role in Role
        if (viewer := Viewer(id=OTHER, name="somebody", role=role))
    }

    assert rights == {
        Role.VIEWER: (False, False),
        Role.UPLOADER: (True, False),
        Role.ADMIN: (True, True),
    }
