"""What an owner says of an upload that is still arriving, and what the video then is."""

from typing import Any

import pytest

from common.ids import new_id
from common.stores import Stores
from db.engine import Database
from db.models import (
    AuditEntry,
    Collection,
    CollectionItem,
    Grant,
    Group,
    GroupMember,
    Level,
    Role,
    User,
    Visibility,
    now,
)
from tests.conftest import Client, Site
from tests.media import box
from tests.upload_service.conftest import Rows, add_user
from tests.upload_service.forms import file_part, send, text_part
from tests.upload_service.tus_client import Tus, metadata
from upload_service.receive.body import FORM_OVERHEAD


@pytest.fixture
def tus(alice: Client) -> Tus:
    return Tus(alice)


@pytest.fixture
def family(database: Database, owner: User) -> Group:
    """A group that Alice is in."""
    group = Group(id=new_id(), name="Family")
    database.write(lambda session: session.add(group))
    database.write(lambda session: session.add(GroupMember(group_id=group.id, user_id=owner.id)))
    return group


@pytest.fixture
def holiday(database: Database, owner: User) -> Collection:
    """A collection of Alice's."""
    collection = Collection(id=new_id(), owner_id=owner.id, title="Holiday")
    database.write(lambda session: session.add(collection))
    return collection


def api(where: str) -> str:
    return where.replace("/upload/files/", "/api/uploads/")


def page(where: str) -> str:
    return where.replace("/upload/files/", "/stream/")


def grants(database: Database) -> list[Grant]:
    return database.read(lambda session: session.query(Grant).all())


@pytest.mark.on_mysql
def test_what_is_said_before_the_end_is_true_of_the_video(
    alice: Client,
    bob: Client,
    tus: Tus,
    rows: Rows,
    database: Database,
    family: Group,
    holiday: Collection,
    video_bytes: bytes,
) -> None:
    where = tus.begin(len(video_bytes), Upload_Metadata=metadata(filename="DSC_0001.mp4"))
    said = {
        "title": "Night train",
        "description": "To Trieste",
        "visibility": "members",
        "collections": [holiday.id],
        "grants": [{"user": "bob", "level": "download"}, {"anyone": "Family (group)"}],
    }
    answer = alice.patch(api(where), json=said)
    assert answer.status_code == 200, answer.text
    described = alice.get(api(where)).json
    assert answer.json == described
    assert {key: described[key] for key in ("title", "description", "visibility", "page")} == {
        **{key: said[key] for key in ("title", "description", "visibility")},
        "page": page(where),
    }
    assert described["grants"] == [
        {"user": "bob", "name": "bob", "level": "download"},
        {"group": family.id, "name": "Family", "level": "watch"},
    ]
    # Nobody sees anything before the end, and its owner that it is still arriving.
    assert bob.get(page(where)).status_code == 404
    assert b"still being uploaded" in alice.get(page(where)).data
    assert grants(database) == []

    assert tus.patch(where, 0, video_bytes).status_code == 204
    (video,) = rows.videos()
    assert page(where) == f"/stream/{video.id}"
    assert (video.title, video.description) == ("Night train", "To Trieste")
    assert video.visibility is Visibility.MEMBERS
    assert [(g.level, g.group_id) for g in grants(database) if g.user_id is None] == [
        (Level.WATCH, family.id)
    ]
    assert bob.get(page(where)).status_code == 200
    (item,) = database.read(lambda session: session.query(CollectionItem).all())
    assert (item.collection_id, item.video_id) == (holiday.id, video.id)
    actions = database.read(
        lambda session: [entry.action for entry in session.query(AuditEntry).all()]
    )
    assert actions == [
        "video.visibility", "collection.item_added", "grant.created", "grant.created",
    ]  # fmt: skip


def test_a_later_change_leaves_the_rest(alice: Client, tus: Tus) -> None:
    where = tus.begin(10)
    alice.patch(api(where), json={"visibility": "public", "description": "One"})
    described = alice.patch(api(where), json={"title": "Two"}).json
    assert (described["title"], described["description"], described["visibility"]) == (
        "Two",
        "One",
        "public",
    )


@pytest.mark.on_mysql
def test_what_is_gone_at_the_end_is_left_out(
    alice: Client,
    tus: Tus,
    rows: Rows,
    database: Database,
    family: Group,
    holiday: Collection,
    bob: Client,
    video_bytes: bytes,
) -> None:
    where = tus.begin(len(video_bytes))
    wanted = [{"user": "bob"}, {"group": family.id}]
    answer = alice.patch(api(where), json={"grants": wanted, "collections": [holiday.id]})
    assert answer.status_code == 200, answer.text

    def clear(session: Any) -> None:
        session.delete(session.get(Collection, holiday.id))
        session.query(GroupMember).delete()
        session.query(User).filter(User.name == "bob").one().disabled_at = now()

    database.write(clear)
    assert alice.get(api(where)).json["grants"] == []
    assert tus.patch(where, 0, video_bytes).status_code == 204
    assert len(rows.videos()) == 1
    assert grants(database) == []


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"title": "  "}, 422),
        ({"visibility": "everyone"}, 422),
        ({"grants": [{"user": "nobody"}]}, 422),
        ({"grants": [{"user": "alice"}]}, 422),
        ({"grants": [{"user": "bob", "level": "own"}]}, 422),
        ({"grants": [{"user": "bob", "group": "x"}]}, 422),
        ({"grants": [{"user": {}}]}, 422),
        ({"grants": ["bob"]}, 422),
        ({"collections": ["A" * 22]}, 404),
        ({"owner": "bob"}, 422),
    ],
)
@pytest.mark.usefixtures("bob")
def test_what_is_wrong_changes_nothing(
    alice: Client, tus: Tus, said: dict[str, Any], status: int
) -> None:
    where = tus.begin(10)
    before = alice.get(api(where)).json
    assert alice.patch(api(where), json={"description": "New"} | said).status_code == status
    assert alice.get(api(where)).json == before


def test_only_its_owner_reads_or_changes_an_upload(alice: Client, bob: Client, tus: Tus) -> None:
    where = tus.begin(10)
    for answer in (bob.get(api(where)), bob.patch(api(where), json={"title": "Mine"})):
        assert answer.status_code == 404
    assert alice.get(api(where)).json["title"] == "Untitled"


def test_after_the_end_the_video_is_what_is_changed(
    alice: Client, tus: Tus, video_bytes: bytes
) -> None:
    where = tus.begin(len(video_bytes))
    tus.patch(where, 0, video_bytes)
    assert alice.patch(api(where), json={"title": "Late"}).status_code == 409
    described = alice.get(api(where)).json
    assert (described["is_video"], described["page"]) == (True, page(where))


def test_a_form_says_who_can_watch_and_where_it_goes(
    alice: Client, rows: Rows, database: Database, holiday: Collection, video_bytes: bytes
) -> None:
    assert b"Holiday" in alice.get("/upload").data
    fields = {"title": "By form", "visibility": "members", "collection": holiday.id}
    parts = [text_part(name, value) for name, value in fields.items()]
    answer = send(alice, *parts, file_part(video_bytes))
    assert answer.status_code == 201, answer.text
    (video,) = rows.videos()
    assert (video.title, video.visibility) == ("By form", Visibility.MEMBERS)
    (item,) = database.read(lambda session: session.query(CollectionItem).all())
    assert item.video_id == video.id


def test_a_form_with_a_strangers_collection_leaves_nothing(
    alice: Client, rows: Rows, database: Database, site: Site, stores: Stores, video_bytes: bytes
) -> None:
    carol = add_user(database, "carol", Role.UPLOADER)
    theirs = Collection(id=new_id(), owner_id=carol.id, title="Theirs")
    database.write(lambda session: session.add(theirs))
    answer = send(alice, text_part("collection", theirs.id), file_part(video_bytes))
    assert answer.status_code == 404
    assert (rows.videos(), rows.uploads()) == ([], [])


# What a phone shares -----------------------------------------------------------------------------


def test_what_a_phone_shares_leads_to_the_videos_form(
    alice: Client, rows: Rows, video_bytes: bytes
) -> None:
    # The system opens the installed app itself: no site is behind the request.
    answer = send(
        alice,
        text_part("title", ""),
        file_part(video_bytes, "VID_20261127.mp4"),
        path="/upload/share",
        json=False,
        site="none",
    )
    (video,) = rows.videos()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/stream/{video.id}/edit")
    assert video.title == "VID_20261127"


def test_a_phone_may_share_several_videos(alice: Client, rows: Rows, video_bytes: bytes) -> None:
    files = [file_part(video_bytes, f"{name}.mp4") for name in ("one", "two", "three")]
    answer = send(alice, *files, path="/upload/share", json=False, site="none")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/stream?whose=mine")
    assert sorted(video.title for video in rows.videos()) == ["one", "three", "two"]
    assert rows.uploads() == []


def test_several_videos_that_fit_the_quota_together_are_all_taken(
    alice: Client, database: Database, rows: Rows, video_bytes: bytes
) -> None:
    large = video_bytes + box(b"free", bytes(3 * FORM_OVERHEAD))
    database.write(lambda session: session.query(User).update({"quota": 2 * len(large)}))
    files = [file_part(large, f"{name}.mp4") for name in ("one", "two")]
    answer = send(alice, *files, path="/upload/share", json=False, site="none")
    assert answer.status_code == 303
    assert len(rows.videos()) == 2


def test_another_site_shares_nothing(alice: Client, rows: Rows, video_bytes: bytes) -> None:
    answer = send(alice, file_part(video_bytes), path="/upload/share", site="cross-site")
    assert answer.status_code == 403
    assert rows.videos() == []


def test_after_signing_in_the_form_is_there_to_share_again(alice: Client) -> None:
    assert alice.get("/upload/share").headers["Location"] == "/upload"


# The same file twice -----------------------------------------------------------------------------


@pytest.mark.on_mysql
def test_the_same_file_is_recognised_among_ones_own_videos(
    alice: Client, bob: Client, tus: Tus, rows: Rows, video_bytes: bytes
) -> None:
    first = send(alice, text_part("title", "First"), file_part(video_bytes)).json
    send(bob, file_part(video_bytes))
    where = tus.begin(len(video_bytes))
    tus.patch(where, 0, video_bytes)
    named = [{"id": first["id"], "title": "First", "page": f"/stream/{first['id']}"}]
    assert alice.get(api(where)).json["duplicates"] == named

    def find(browser: Client) -> list[str]:
        address = f"/api/uploads/duplicates?sha256={first['sha256']}"
        return [video["id"] for video in browser.get(address).json["videos"]]

    mine = [first["id"], where.rsplit("/", 1)[1]]
    assert find(alice) == mine
    assert len(find(bob)) == 1
    assert not set(find(bob)) & set(mine)
    alice.delete(f"/api/videos/{first['id']}")  # a video in the bin is none that one has
    assert find(alice) == mine[1:]
    assert alice.get("/api/uploads/duplicates?sha256=x").status_code == 422
