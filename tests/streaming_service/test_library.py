"""What is found and listed, by whom, in which order; and what a change may be."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from common.access import VideoAccess, Watcher, may_edit, may_remove, may_watch
from common.audit import Actor
from common.errors import LoginRequired, NotFound, Unprocessable
from db.models import Position, Role, Video, Visibility, now
from streaming_service.videos import library
from streaming_service.videos.changes import VideoEdit, bin_video, edit_video
from streaming_service.videos.cursors import Cursor, Sort
from streaming_service.videos.filters import Filters, OwnerFilter
from streaming_service.videos.library import ListQuery, count_videos, get_video_for, list_videos
from tests.conftest import Client

from .conftest import House, Put

pytestmark = pytest.mark.on_mysql

DAY = datetime(2026, 11, 14, tzinfo=UTC)


def listed(house: House, name: str, *, sort: Sort = Sort.TITLE, **filters: object) -> list[str]:
    """Return the titles of everything that somebody is shown, over all pages."""
    titles: list[str] = []
    after = None
    while True:
        query = ListQuery(Filters(**filters), sort, after)  # type: ignore[arg-type]
        found = list_videos(house.database, house.viewers[name], query)
        assert len(found.videos) <= library.PAGE
        titles += [video.title for video in found.videos]
        if found.next is None:
            return titles
        # The way a browser comes back with it.
        after = Cursor.read(str(found.next), found.next.sort)


@pytest.fixture
def everybody(house: House) -> House:
    """Two owners with one video of each kind, and accounts of each role."""
    for name, role in (
        ("alice", Role.UPLOADER),
        ("bob", Role.UPLOADER),
        ("charlie", Role.ADMIN),
        ("dora", Role.VIEWER),
    ):
        house.join(name, role)
    for owner, visibility in itertools.product(("alice", "bob", "charlie", None), Visibility):
        for state in ("kept", "deleted", "refused"):
            house.put(
                owner,
                visibility,
                title=f"{owner} {visibility} {state}",
                deleted_at=now() if state == "deleted" else None,
                rejection_reason="It breaks off in the middle." if state == "refused" else None,
            )
    return house


def test_the_list_and_the_pages_follow_the_rules_of_access(everybody: House) -> None:
    everything = everybody.database.read(lambda session: session.scalars(select(Video)).all())
    for name, viewer in everybody.viewers.items():
        expected = []
        for video in everything:
            owner = None if video.deleted_at else video.owner_id
            # Of a video that was refused nobody but its owner hears.
            shown_to = Visibility.PRIVATE if video.rejection_reason else video.visibility
            access = VideoAccess(owner, shown_to)
            allowed = may_watch(Watcher(viewer), access)
            assert _reaches(everybody, get_video_for, name, video.id) == allowed
            assert _reaches(everybody, library.get_video_to_edit, name, video.id) == (
                allowed and may_edit(Watcher(viewer), access)
            )
            assert _reaches(everybody, library.get_video_to_delete, name, video.id) == (
                allowed and may_remove(Watcher(viewer), access)
            )
            expected += [video.title] if allowed else []
        assert listed(everybody, name) == sorted(expected, key=str.lower)
        assert listed(everybody, name, whose=OwnerFilter.MINE) == sorted(
            title for title in expected if title.startswith(name)
        )


def _reaches(house: House, find: Callable[..., object], name: str, video_id: str) -> bool:
    try:
        viewer = house.viewers[name]
        find(house.database, Watcher(viewer) if find is get_video_for else viewer, video_id)
    except NotFound:
        return False
    return True


def test_signed_out_only_what_is_public_is_found(everybody: House) -> None:
    everything = everybody.database.read(lambda session: session.scalars(select(Video)).all())
    for video in everything:
        hidden = video.deleted_at or video.rejection_reason or not video.owner_id
        public = video.visibility is Visibility.PUBLIC and not hidden
        try:
            get_video_for(everybody.database, Watcher(None), video.id)
        except LoginRequired:
            assert not public
        else:
            assert public


@pytest.mark.parametrize("video_id", ["", "x", "a" * 21, "ä" * 22, "a" * 21 + "\0", "-" * 22, "%"])
def test_what_is_no_id_is_not_there(house: House, alice: Client, video_id: str) -> None:
    assert not _reaches(house, get_video_for, "alice", video_id)


def test_ids_are_compared_exactly(house: House, put: Put) -> None:
    put(id="AbcdefghijklmnopqrstuV")

    assert _reaches(house, get_video_for, "alice", "AbcdefghijklmnopqrstuV")
    assert not _reaches(house, get_video_for, "alice", "abcdefghijklmnopqrstuv")


@pytest.mark.parametrize("sort", Sort)
def test_every_video_is_listed_once_over_all_pages(house: House, put: Put, sort: Sort) -> None:
    """Also where a page ends between videos of one title and one moment."""
    for number in range(60):
        group = number // 25
        fields = {"created_at": DAY + timedelta(seconds=group), "duration_ms": 1000 * group}
        video_id = put(title=f"Video {group}", size=1000 + group, **fields)
        if group:  # the others were never watched
            place = {"user_id": house.viewers["alice"].id, "video_id": video_id, "position_ms": 0}
            house.add(Position(watched_at=DAY + timedelta(days=group), **place))

    titles = listed(house, "alice", sort=sort)

    assert len(titles) == 60
    assert titles == sorted(titles, reverse=sort not in (Sort.OLDEST, Sort.TITLE))
    assert count_videos(house.database, house.viewers["alice"], Filters()) == 60


def test_a_video_that_comes_while_pages_are_turned_moves_nothing(house: House, put: Put) -> None:
    for number in range(30):
        put(title=f"{number:02}", created_at=DAY + timedelta(microseconds=number))
    alice = house.viewers["alice"]
    first = list_videos(house.database, alice, ListQuery())

    put(title="new")
    second = list_videos(house.database, alice, ListQuery(after=first.next))

    shown = [video.title for video in (*first.videos, *second.videos)]
    assert shown == [f"{number:02}" for number in reversed(range(30))]


def test_titles_are_sorted_without_regard_to_case(house: House, put: Put) -> None:
    for title in ("b", "A", "C", "a2", "B2"):
        put(title=title)

    assert listed(house, "alice", sort=Sort.TITLE) == ["A", "a2", "b", "B2", "C"]


@pytest.mark.parametrize(
    ("title", "search"),
    [
        ("Crème brûlée", "creme BRULEE"),
        ("Creme brulee", "crème"),
        ("Über", "uber"),
        ("ÅNGSTRÖM", "angstrom"),
        ("Søren in Łódź", "soren lodz"),
        ("İstanbul", "istanbul"),
        ("ΟΔΟΣ", "οδος"),
        ("Ελληνικά", "ελληνικα"),
        ("Ёлка", "елка"),
        ("サクラ", "サクラ"),
        ("한국어", "국어"),
        ("100 %", "%"),
        ("a_b", "_"),
    ],
)
def test_a_search_passes_over_accents_and_case(
    house: House, put: Put, title: str, search: str
) -> None:
    """The same on both databases: SQLite by a function of ours, MySQL by its collation."""
    put(title=title)
    put(title="Other")

    assert listed(house, "alice", search=search) == [title]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("sea", ["Sea"]),
        ("SEA", ["Sea"]),
        ("se", ["Sea"]),
        ("alice", ["100% über_all", "Sea"]),
        ("ALICE sea", ["Sea"]),
        ("waves", ["Sea"]),
        ("sea mountains", []),
        ("ÜBER", ["100% über_all"]),
        ("%", ["100% über_all"]),
        ("_", ["100% über_all"]),
        ("100%", ["100% über_all"]),
        ("1%0", []),
        ("\\", []),
        ("/", ["Sea"]),
        ("'", []),
        ('" OR 1=1 --', []),
        ("sea\0", ["Sea"]),
        ("😀", ["Sea"]),
        (" ", ["100% über_all", "Sea"]),
    ],
)
def test_search(house: House, put: Put, search: str, found: list[str]) -> None:
    put(title="Sea", description="Waves and/or 😀")
    put(title="100% über_all")
    house.join("bob")
    house.put("bob", title="Bob's own Sea")

    assert listed(house, "alice", search=search) == found


def test_many_words_are_fine(house: House, put: Put) -> None:
    put(title="Sea")

    assert listed(house, "alice", search="sea " * 5000) == ["Sea"]


def edit(house: House, name: str, video_id: str, **fields: str) -> None:
    """Edit as somebody."""
    edit_video(house.services.stores, Actor(house.viewers[name]), video_id, VideoEdit(**fields))


def test_a_title_is_cleaned_as_at_the_upload(house: House, put: Put) -> None:
    video_id = put()
    for given, kept in {
        "\u202egpj.exe\u2069\ufeff": "gpj.exe",
        "cafe\u0301": "café",
        " \t A   day\r\nout \0\x1b[2J": "A day out [2J",
        "<script>alert(1)</script>": "<script>alert(1)</script>",
        "👩\u200d👧": "👩\u200d👧",
        "é" * 200: "é" * 200,
        "  " + "x" * 200 + "  ": "x" * 200,
        "half \ud800 a pair": "half a pair",
    }.items():
        edit(house, "alice", video_id, title=given)
        assert house.video(video_id).title == kept


@pytest.mark.parametrize("title", ["", "   ", "\0\x07", "\n\r\t", "x" * 201])
def test_a_title_that_is_empty_or_too_long_is_refused(house: House, put: Put, title: str) -> None:
    video_id = put(title="Before")
    with pytest.raises(Unprocessable):
        edit(house, "alice", video_id, title=title)
    assert house.video(video_id).title == "Before"


def test_a_description_keeps_its_lines(house: House, put: Put) -> None:
    video_id = put()
    edit(house, "alice", video_id, description="One\r\n\tTwo\rThree\0\x1b\n\n")
    assert house.video(video_id).description == "One\n\tTwo\nThree"

    edit(house, "alice", video_id, description="\r\n".join(["😀"] * 2500))
    assert len(house.video(video_id).description) == 4999
    edit(house, "alice", video_id, description="x" * 5000)
    with pytest.raises(Unprocessable):
        edit(house, "alice", video_id, description="x" * 5001)
    edit(house, "alice", video_id, description="")
    assert house.video(video_id).description == ""


@pytest.mark.parametrize("word", ["", "PRIVATE", "everybody", "public ", "\0"])
def test_an_unknown_visibility_is_refused(house: House, put: Put, word: str) -> None:
    video_id = put(visibility="members")
    with pytest.raises(Unprocessable):
        edit(house, "alice", video_id, title="New", visibility=word)
    assert house.video(video_id).visibility is Visibility.MEMBERS
    assert house.video(video_id).title != "New"


def test_what_is_not_given_stays(house: House, put: Put) -> None:
    video_id = put(title="Title", description="Words", visibility="public")

    edit(house, "alice", video_id, description="Other words")

    video = house.video(video_id)
    assert (video.title, video.description) == ("Title", "Other words")
    assert video.visibility is Visibility.PUBLIC


def test_a_binned_video_is_its_owners_alone(house: House, put: Put, bob: Client) -> None:
    video_id = put(visibility="members")
    alice = Actor(house.viewers["alice"])

    bin_video(house.services.stores, alice, video_id)

    assert house.video(video_id).binned_at is not None
    assert _reaches(house, get_video_for, "alice", video_id)
    assert not _reaches(house, get_video_for, "bob", video_id)
    assert listed(house, "alice") == listed(house, "bob") == []
    with pytest.raises(NotFound):
        bin_video(house.services.stores, alice, video_id)
