"""The matrix of sharing, cell by cell, in one process.

A refusal, and whatever only reads, must change nothing. What was granted is put back.
"""

from collections.abc import Iterator

import pytest

from tests.permissions.matrix_state import TITLE, VIDEO_BYTES
from tests.permissions.sharing_matrix import (
    ADDRESSES,
    NEEDS,
    SHARINGS,
    Asker,
    Level,
    SharedCell,
    Sharing,
    Validity,
    Way,
    cells,
)
from tests.permissions.sharing_state import SharingState, video_of


@pytest.mark.parametrize("way", Way)
def test_every_cell(shared: SharingState, way: Way) -> None:
    wrong = []
    for sharing in SHARINGS:
        if sharing.way is way:
            wrong += [complaint for cell in cells(sharing) for complaint in try_(shared, cell)]
    assert not wrong, "\n".join(wrong)


def try_(shared: SharingState, cell: SharedCell) -> Iterator[str]:
    """Send a request, say what is wrong with the answer, and put back what it changed."""
    answer = shared.send(cell)
    if answer.status_code != cell.expected():
        yield f"{cell}: {answer.status_code} in place of {cell.expected()}"
    may_change = cell.is_granted and not cell.is_safe
    if not cell.is_granted and (TITLE in answer.text or VIDEO_BYTES[-100:] in answer.data):
        yield f"{cell}: it tells of the video"
    if shared.was_changed():
        shared.put_back()
        if not may_change:
            yield f"{cell}: it changed something"


def test_every_address_has_its_line() -> None:
    """An address of a video, or of a collection, without one cannot be added."""
    assert {route.pattern for route in ADDRESSES} == set(NEEDS)
    for route in ADDRESSES:
        assert set(route.grants) == set(NEEDS[route.pattern]), route


@pytest.mark.parametrize("asker", [Asker.NAMED, Asker.OTHER])
@pytest.mark.parametrize("way", [way for way in Way if not way.is_link])
def test_the_list_holds_what_is_shared(shared: SharingState, way: Way, asker: Asker) -> None:
    by_group = way in (Way.GROUP, Way.COLLECTION_GROUP)
    some = next(sharing for sharing in SHARINGS if sharing.way is way)
    listed = set()
    path = "/api/videos"
    while path:
        page = shared.request("GET", path, asker, some).get_json()
        listed |= {video["id"] for video in page["videos"]}
        path = f"/api/videos?after={page['next']}" if page["next"] else ""
    alike = (Way.GROUP, Way.COLLECTION_GROUP) if by_group else (Way.USER, Way.COLLECTION_USER)
    expected = {
        video_of(sharing)
        for sharing in SHARINGS
        if sharing.way in alike and sharing.validity.holds and asker is Asker.NAMED
    }
    assert listed == expected


@pytest.mark.parametrize("way", [way for way in Way if way.is_link])
def test_a_link_opens_for_newcomers_and_for_those_who_have_opened_it(
    shared: SharingState, way: Way
) -> None:
    for sharing in SHARINGS:
        if sharing.way is way:
            open_(shared, sharing)


def open_(shared: SharingState, sharing: Sharing) -> None:
    """Open a link, as those who have opened it before and as a newcomer."""
    ended = sharing.validity in (Validity.EXPIRED, Validity.REVOKED)
    is_gone = sharing.validity is Validity.BINNED and sharing.way is Way.LINK
    works = not (ended or is_gone)
    for asker in (Asker.VISITOR, Asker.VISITOR_WITH_ACCOUNT, Asker.NOBODY):
        lets_in = works and (asker.is_meant or sharing.validity is not Validity.USED_UP)
        for method, status in (("GET", 303 if asker.is_meant else 200), ("POST", 303)):
            answer = shared.request(method, shared.link_path(sharing), asker, sharing)
            expected = status if lets_in else 404
            assert answer.status_code == expected, (sharing, asker, method)


@pytest.mark.parametrize("way", [way for way in Way if not way.is_link])
def test_those_who_edit_do_not_decide_who_watches(shared: SharingState, way: Way) -> None:
    for level in Level:
        check_visibility(shared, Sharing(way, level, Validity.NEVER_ENDS))


def check_visibility(shared: SharingState, sharing: Sharing) -> None:
    """Try to make a video public."""
    path = f"/api/videos/{video_of(sharing)}"
    answer = shared.request("PATCH", path, Asker.NAMED, sharing, json={"visibility": "public"})
    expected = {Level.SHARE: 200, Level.EDIT: 403}.get(sharing.level, 404)
    assert answer.status_code == expected
    assert shared.was_changed() == (expected == 200)
