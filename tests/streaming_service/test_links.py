"""Share links: making, changing, revoking and listing them."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from common.ids import new_id
from db.models import AuditEntry, Grant, Level, Link, Role, Video, now
from tests.conftest import Client
from tests.streaming_service.conftest import House, Put

PASSWORD = "correct horse battery"


def make(browser: Client, video: str, **fields: Any) -> dict[str, Any]:
    answer = browser.post(f"/api/videos/{video}/links", json=fields)
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    return answer.json


def path_of(link: dict[str, Any]) -> str:
    path: str = link["url"].removeprefix("http://localhost")
    return path


def own_links(browser: Client) -> list[dict[str, Any]]:
    answer = browser.get("/api/links")
    assert answer.json is not None
    links: list[dict[str, Any]] = answer.json["links"]
    return links


@pytest.fixture
def rules(house: House) -> Iterator[Callable[..., None]]:
    """Sets what the administrator asks of links."""
    fixed = house.services.stores.site.fixed
    before = dict(fixed)

    def change(**fields: Any) -> None:
        fixed.update({f"link_{key}": value for key, value in fields.items()})

    yield change
    fixed.clear()
    fixed.update(before)


def test_a_new_link_lasts_30_days_and_tells_its_address_once(
    alice: Client, put: Put, house: House
) -> None:
    video = put()
    link = make(alice, video)
    token = link["url"].rpartition("/")[2]
    assert re.fullmatch(r"http://localhost/s/[A-Za-z0-9_-]{43}", link["url"])
    ends = datetime.fromisoformat(link["expires_at"])
    assert timedelta(days=29, hours=23) < ends - now() < timedelta(days=30)
    assert link | {"url": "", "expires_at": "", "created_at": ""} == {
        "id": link["id"],
        "url": "",
        "video": video,
        "collection": None,
        "label": "",
        "level": "watch",
        "created_at": "",
        "expires_at": "",
        "has_password": False,
        "max_views": None,
        "view_count": 0,
        "last_used_at": None,
        "show_title": False,
    }
    [listed] = own_links(alice)
    assert listed == {name: link[name] for name in link if name != "url"}
    for page in (f"/stream/{video}/links", "/account/links", "/api/links"):
        assert token not in alice.get(page).text
    stored = house.database.read(lambda session: session.scalars(select(Link)).one())
    assert token not in repr(vars(stored))


def test_a_link_has_what_was_asked_for(alice: Client, put: Put) -> None:
    link = make(
        alice,
        put(),
        label="  For\tAnna ",
        level="download",
        expires_at="2999-01-01T12:00:00+01:00",
        password=PASSWORD,
        max_views=3,
        show_title=True,
    )
    assert link["label"] == "For Anna"
    assert link["level"] == "download"
    assert link["expires_at"] == "2999-01-01T11:00:00+00:00"
    assert (link["has_password"], link["max_views"], link["show_title"]) == (True, 3, True)


def test_a_link_may_have_no_end(alice: Client, put: Put) -> None:
    assert make(alice, put(), expires_at=None)["expires_at"] is None


@pytest.mark.parametrize(
    "fields",
    [
        {"level": "edit"},
        {"level": "see"},
        {"label": "x" * 101},
        {"expires_at": "2001-01-01T00:00:00+00:00"},
        {"expires_at": "soon"},
        {"password": "short"},
        {"password": ""},
        {"max_views": 0},
        {"max_views": 1_000_001},
        {"max_views": "3"},
        {"max_views": True},
        {"show_title": "yes"},
        {"colour": "red"},
    ],
)
def test_a_wrong_field_is_refused(alice: Client, put: Put, fields: dict[str, Any]) -> None:
    video = put()
    assert alice.post(f"/api/videos/{video}/links", json=fields).status_code == 422
    link = make(alice, video)
    assert alice.patch(f"/api/links/{link['id']}", json=fields).status_code == 422
    assert len(own_links(alice)) == 1


def test_a_link_is_changed(alice: Client, put: Put) -> None:
    link = make(alice, put(), password=PASSWORD, max_views=3)
    changes = {
        "label": "Anna",
        "level": "download",
        "expires_at": None,
        "password": None,
        "max_views": None,
        "show_title": True,
    }
    answer = alice.patch(f"/api/links/{link['id']}", json=changes)
    assert answer.status_code == 200
    assert answer.json == own_links(alice)[0]
    assert answer.json["has_password"] is False
    del changes["password"]
    assert {name: answer.json[name] for name in changes} == changes


def test_what_is_not_named_stays(alice: Client, put: Put) -> None:
    link = make(alice, put(), label="Anna", password=PASSWORD, max_views=3, show_title=True)
    answer = alice.patch(f"/api/links/{link['id']}", json={"level": "download"})
    assert answer.json == {n: v for n, v in link.items() if n != "url"} | {"level": "download"}


def test_only_those_who_may_share_make_change_and_revoke_links(
    alice: Client, bob: Client, nobody: Client, put: Put, house: House
) -> None:
    video = put("alice", "public")
    link = make(alice, video)
    grant = house.grant("bob", Level.EDIT, video_id=video)
    requests = [
        ("POST", f"/api/videos/{video}/links", {}),
        ("PATCH", f"/api/links/{link['id']}", {"label": "x"}),
        ("DELETE", f"/api/links/{link['id']}", None),
    ]
    for method, path, body in requests:
        assert bob.open(path, method=method, json=body).status_code == 404
        assert nobody.open(path, method=method, json=body).status_code == 401
    for path in (f"/stream/{video}/links", f"/account/links/{link['id']}"):
        assert bob.get(path).status_code == 404
    house.change(Grant, grant, level=Level.SHARE)
    statuses = [bob.open(path, method=m, json=b).status_code for m, path, b in requests]
    assert statuses == [201, 200, 204]


def test_who_made_a_link_may_revoke_it_even_without_the_right_to_share(
    alice: Client, bob: Client, put: Put, house: House
) -> None:
    video = put()
    grant = house.grant("bob", Level.SHARE, video_id=video)
    link = make(bob, video)
    house.change(Grant, grant, level=Level.WATCH)
    assert bob.patch(f"/api/links/{link['id']}", json={"label": "x"}).status_code == 404
    assert bob.delete(f"/api/links/{link['id']}").status_code == 204


@pytest.mark.on_mysql
def test_a_hundred_links_are_enough(alice: Client, put: Put, house: House) -> None:
    video = put()
    links = [
        Link(
            id=new_id(),
            token_hash=f"{number:064}",
            video_id=video,
            created_by_id=house.viewers["alice"].id,
            expires_at=now() + timedelta(hours=1),
        )
        for number in range(100)
    ]
    house.add(*links)
    answer = alice.post(f"/api/videos/{video}/links", json={})
    assert answer.status_code == 409
    assert "100 links" in answer.json["error"]
    house.change(Link, links[0].id, expires_at=now())
    make(alice, video)


def test_the_list_has_no_expired_links_and_none_of_others(
    alice: Client, bob: Client, put: Put, house: House
) -> None:
    make(bob, put("bob"))
    gone, kept = make(alice, put()), make(alice, put())
    house.change(Link, gone["id"], expires_at=now())
    assert [link["id"] for link in own_links(alice)] == [kept["id"]]


def test_links_of_a_collection(alice: Client, bob: Client, house: House) -> None:
    collection = house.collection("alice", title="A summer")
    answer = alice.post(f"/api/collections/{collection}/links", json={})
    assert answer.status_code == 201
    assert (answer.json["video"], answer.json["collection"]) == (None, collection)
    assert bob.post(f"/api/collections/{collection}/links", json={}).status_code == 404
    assert "A summer" in alice.get(f"/collections/{collection}/links").text
    assert bob.get(f"/collections/{collection}/links").status_code == 404


# --- what the administrator asks for ----------------------------------------------------------


def test_where_links_need_a_password(alice: Client, put: Put, rules: Callable[..., None]) -> None:
    video = put()
    old = make(alice, video)
    rules(require_password=True)
    answer = alice.post(f"/api/videos/{video}/links", json={})
    assert (answer.status_code, "password" in answer.json["error"]) == (422, True)
    link = make(alice, video, password=PASSWORD)
    assert alice.patch(f"/api/links/{link['id']}", json={"password": None}).status_code == 422
    assert alice.patch(f"/api/links/{old['id']}", json={"label": "x"}).status_code == 422
    page = alice.get(f"/stream/{video}/links").text
    assert "Links on this site need one." in page


def test_where_links_need_an_expiry(alice: Client, put: Put, rules: Callable[..., None]) -> None:
    video = put()
    rules(require_expiry=True)
    assert alice.post(f"/api/videos/{video}/links", json={"expires_at": None}).status_code == 422
    link = make(alice, video)
    assert alice.patch(f"/api/links/{link['id']}", json={"expires_at": None}).status_code == 422
    assert 'value="never"' not in alice.get(f"/stream/{video}/links").text


def test_where_links_have_a_longest_life(
    alice: Client, put: Put, rules: Callable[..., None], house: House
) -> None:
    video = put()
    rules(max_age=10 * 86400)
    link = make(alice, video)
    assert datetime.fromisoformat(link["expires_at"]) - now() < timedelta(days=10)
    for later in (None, (now() + timedelta(days=11)).isoformat()):
        answer = alice.post(f"/api/videos/{video}/links", json={"expires_at": later})
        assert answer.status_code == 422
    # It counts from the creation, however often a link is extended.
    house.change(Link, link["id"], created_at=now() - timedelta(days=9))
    in_two_days = (now() + timedelta(days=2)).isoformat()
    answer = alice.patch(f"/api/links/{link['id']}", json={"expires_at": in_two_days})
    assert answer.status_code == 422
    assert "10 days" in answer.json["error"]
    page = alice.get(f"/stream/{video}/links").text
    assert 'value="7d"' in page
    assert re.search(r'value="longest"\s+selected>10 days', page)
    for gone in ("30d", "never"):
        assert f'value="{gone}"' not in page


# --- the audit log ----------------------------------------------------------------------------


def test_each_change_is_in_the_audit_log_and_no_secret_is(
    alice: Client, nobody: Client, put: Put, house: House
) -> None:
    video = put()
    link = make(alice, video, label="Anna", password=PASSWORD)
    nobody.post(path_of(link), data={"password": PASSWORD})
    alice.patch(f"/api/links/{link['id']}", json={"level": "download"})
    alice.delete(f"/api/links/{link['id']}")
    wanted = select(AuditEntry).order_by(AuditEntry.id)
    entries = house.database.read(lambda session: list(session.scalars(wanted)))
    assert [(entry.action, entry.actor_name) for entry in entries] == [
        ("link.created", "alice"),
        ("link.opened", ""),
        ("link.changed", "alice"),
        ("link.revoked", "alice"),
    ]
    assert {(entry.video_id, entry.object_id) for entry in entries} == {(video, link["id"])}
    assert json.loads(entries[2].details)["level"] == "download"
    for entry in entries:
        token = link["url"].rpartition("/")[2]
        assert token not in entry.details
        assert PASSWORD not in entry.details
        assert "$argon2" not in entry.details


# --- the pages --------------------------------------------------------------------------------


def test_a_link_is_made_with_the_form_and_its_address_shown_once(alice: Client, put: Put) -> None:
    video = put()
    form = {"label": "Anna", "level": "watch", "expires": "7d", "expires_on": ""}
    answer = alice.post(f"/stream/{video}/links", data=form)
    assert answer.status_code == 201
    assert re.search(r'value="http://localhost/s/[A-Za-z0-9_-]{43}"', answer.text)
    assert "data:image/svg+xml" in answer.text
    assert "/s/" not in alice.get(f"/stream/{video}/links").text.replace("/stream/", "")
    [link] = own_links(alice)
    ends = datetime.fromisoformat(link["expires_at"])
    assert timedelta(days=6, hours=23) < ends - now() < timedelta(days=7)


@pytest.mark.parametrize(
    ("fields", "expires_at"),
    [
        ({"expires": "never"}, None),
        ({"expires": "30d", "expires_on": "2999-01-31"}, "2999-02-01T00:00:00+00:00"),
    ],
)
def test_the_form_knows_dates_and_for_ever(
    alice: Client, put: Put, fields: dict[str, str], expires_at: str | None
) -> None:
    alice.post(f"/stream/{put()}/links", data=fields)
    assert own_links(alice)[0]["expires_at"] == expires_at


@pytest.mark.parametrize(
    "fields",
    [
        {"expires": "date"},
        {"expires": "longest"},
        {"max_views": "many"},
        {"password": "short"},
        {"expires_on": "2001-01-01"},
    ],
)
def test_a_form_that_is_refused_comes_back_with_the_reason(
    alice: Client, put: Put, fields: dict[str, str]
) -> None:
    answer = alice.post(f"/stream/{put()}/links", data={"label": "For Anna", **fields})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'value="For Anna"' in answer.text
    assert "short" not in answer.text
    assert own_links(alice) == []


def test_a_link_is_edited_with_its_form(alice: Client, put: Put) -> None:
    video = put()
    link = make(alice, video, label="Anna", password=PASSWORD, max_views=3)
    page = alice.get(f"/account/links/{link['id']}").text
    for value in ("Anna", "3"):
        assert f'value="{value}"' in page
    form = {"label": "Berta", "level": "download", "expires": "keep", "max_views": ""}
    answer = alice.post(f"/account/links/{link['id']}", data=form)
    assert (answer.status_code, answer.location) == (303, f"/stream/{video}/links?done=changed")
    [changed] = own_links(alice)
    assert changed["expires_at"] == link["expires_at"]
    assert (changed["label"], changed["level"], changed["max_views"]) == ("Berta", "download", None)
    assert changed["has_password"]
    more = {"no_password": "on", "expires_on": "2999-01-31"}
    alice.post(f"/account/links/{link['id']}", data=form | more)
    [changed] = own_links(alice)
    assert not changed["has_password"]
    assert changed["expires_at"] == "2999-02-01T00:00:00+00:00"
    alice.post(f"/account/links/{link['id']}", data=form | {"expires": "never"})
    assert own_links(alice)[0]["expires_at"] is None


def test_a_link_is_extended_and_revoked_with_a_button(alice: Client, put: Put) -> None:
    link = make(alice, put())
    answer = alice.post(f"/account/links/{link['id']}/extend", data={"next": "/account/links"})
    assert (answer.status_code, answer.location) == (303, "/account/links?done=extended")
    before, after = (
        datetime.fromisoformat(one["expires_at"]) for one in (link, own_links(alice)[0])
    )
    assert after - before == timedelta(days=30)
    answer = alice.post(f"/account/links/{link['id']}/revoke", data={"next": "//elsewhere.example"})
    assert answer.status_code == 303
    assert answer.location.startswith("/stream/")
    assert own_links(alice) == []
    assert alice.post(f"/account/links/{link['id']}/revoke").status_code == 404


@pytest.mark.on_mysql
def test_all_links_of_an_account_are_revoked_at_once(
    alice: Client, bob: Client, nobody: Client, put: Put, house: House
) -> None:
    links = [make(alice, put()) for _ in range(3)]
    collection = house.collection("alice", title="A summer")
    alice.post(f"/api/collections/{collection}/links", json={})
    kept = make(bob, put("bob"))
    nobody.post(path_of(links[0]))
    answer = alice.post("/account/links/revoke-all")
    assert (answer.status_code, answer.location) == (303, "/account/links?done=all-revoked")
    assert own_links(alice) == []
    assert nobody.get(f"/stream/{links[0]['video']}").status_code == 303
    assert [nobody.get(path_of(link)).status_code for link in (*links, kept)] == [404] * 3 + [200]


def test_links_to_many_videos_are_revoked_at_once(alice: Client, put: Put) -> None:
    for _ in range(8):
        make(alice, put())
    assert alice.post("/account/links/revoke-all").status_code == 303
    assert own_links(alice) == []


def test_the_page_of_all_links_names_what_its_reader_may_see(
    alice: Client, put: Put, house: House
) -> None:
    house.join("erik", Role.UPLOADER)
    seen, unseen = put(title="Seen"), put("erik", title="Not seen")
    make(alice, seen, label="For Anna")
    grant = house.grant("alice", Level.SHARE, video_id=unseen)
    make(alice, unseen)
    house.database.write(lambda session: session.delete(session.get_one(Grant, grant)))
    page = alice.get("/account/links").text
    assert "Seen" in page
    assert "For Anna" in page
    assert "Not seen" not in page
    assert "Something you can no longer see" in page
    assert "Links on this site" not in page


def test_administrators_see_how_many_links_there_are_and_not_to_what(
    alice: Client, charlie: Client, put: Put
) -> None:
    video = put(title="A day of Alice's")
    make(alice, video)
    make(alice, video)
    page = " ".join(charlie.get("/account/links").text.split())
    assert "2 links by 1 person" in page
    assert "A day of Alice's" not in page
    assert video not in page


def test_lists_of_links_take_as_many_queries_for_one_as_for_many(
    alice: Client, put: Put, house: House
) -> None:
    video = put()

    def load(path: str) -> None:
        assert alice.get(path).status_code == 200

    paths = ("/account/links", f"/stream/{video}/links", "/api/links")
    make(alice, video)
    few = [house.count_queries(load, path) for path in paths]
    for _ in range(5):
        make(alice, video)
        make(alice, put())
    assert [house.count_queries(load, path) for path in paths] == few


def test_a_deleted_video_takes_its_links_along(alice: Client, put: Put, house: House) -> None:
    video = put()
    make(alice, video)
    house.database.write(lambda session: session.delete(session.get_one(Video, video)))
    count = select(func.count()).select_from(Link)
    assert house.database.read(lambda session: session.scalar(count)) == 0
