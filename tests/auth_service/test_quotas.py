"""How much an account may store: set by administrators, shown to them and to its owner."""

import re

import pytest

from auth_service.quotas import InvalidQuota, format_quota, parse_quota
from common.ids import new_id
from db.engine import Database
from db.models import NO_QUOTA, Upload, Video, now
from tests.auth_service.conftest import account, put_video, user_id
from tests.auth_service.site_settings import set_site
from tests.conftest import Client, Site


@pytest.mark.parametrize(
    ("typed", "quota", "shown"),
    [
        ("20 GB", 20_000_000_000, "20 GB"),
        ("20GB", 20_000_000_000, "20 GB"),
        (" 500\u00a0mb ", 500_000_000, "500 MB"),
        ("1.5 TB", 1_500_000_000_000, "1.5 TB"),
        ("20 GiB", 20 << 30, "20 GiB"),
        ("1 kB", 1000, "1 kB"),
        ("1234567 bytes", 1_234_567, "1234567 bytes"),
        ("0", 0, "0 bytes"),
        ("0 GB", 0, "0 bytes"),
        ("", None, ""),
        ("  ", None, ""),
        ("No limit", NO_QUOTA, "no limit"),
    ],
)
def test_a_quota_is_read_and_shown_as_people_write_it(
    typed: str, quota: int | None, shown: str
) -> None:
    assert parse_quota(typed) == quota
    assert format_quota(quota) == shown
    assert parse_quota(shown) == quota


@pytest.mark.parametrize(
    "typed",
    [
        "much",
        "20",
        "-1 GB",
        "20 GB!",
        "1,5 GB",
        "20 GBGB",
        "1e3 GB",
        "GB",
        "20 PB",
        "9223372036854775807 bytes",
        "999999999999999 TB",
        "٢٠ GB",
        "20 GB\n1 TB",
    ],
)
def test_what_is_no_size_is_refused(typed: str) -> None:
    with pytest.raises(InvalidQuota):
        parse_quota(typed)


def reserve(database: Database, owner: str, size: int) -> None:
    upload = Upload(id=new_id(), owner_id=user_id(database, owner), title="A video", reserved=size)
    database.write(lambda session: session.add(upload))


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


@pytest.mark.on_mysql
def test_an_administrator_sets_and_clears_a_quota(
    alice: Client, bob: Client, database: Database
) -> None:
    where = f"/admin/users/{user_id(database, 'bob')}"
    for typed, quota in (("20 GB", 20_000_000_000), ("no limit", NO_QUOTA), ("", None)):
        assert alice.post(where, data={"quota": typed}).location == f"{where}?done=saved"
        assert account(database, "bob").quota == quota
    assert "changes are saved" in alice.get(f"{where}?done=saved").text


def test_what_is_no_size_comes_back_with_the_reason_and_changes_nothing(
    alice: Client, bob: Client, database: Database
) -> None:
    where = f"/admin/users/{user_id(database, 'bob')}"
    alice.post(where, data={"quota": "20 GB"})
    answer = alice.post(where, data={"quota": 'loads "of" it'})
    assert answer.status_code == 422
    assert "That is no size. Write it like 20 GB" in answer.text
    assert answer.text.count('value="loads &#34;of&#34; it"') == 1
    assert answer.text.count('aria-invalid="true"') == 1
    assert account(database, "bob").quota == 20_000_000_000
    assert alice.post(where, data={}).status_code == 422
    assert alice.post("/admin/users/999", data={"quota": "1 GB"}).status_code == 404


def test_only_administrators_set_quotas(
    site: Site, alice: Client, bob: Client, database: Database
) -> None:
    where = f"/admin/users/{user_id(database, 'bob')}"
    assert bob.post(where, data={"quota": "no limit"}).status_code == 403
    assert site.browser().post(where, data={"quota": "no limit"}).status_code == 401
    assert bob.get(where).status_code == 403
    assert account(database, "bob").quota is None


@pytest.mark.on_mysql
def test_the_page_tells_what_each_account_stores_of_what_it_may(
    site: Site, alice: Client, bob: Client, charlie: Client, database: Database
) -> None:
    set_site(site, quota=4_000_000)
    put_video(database, "bob", size=1_600_000)
    put_video(database, "bob", size=1_500_000)
    reserve(database, "bob", 500_000)
    reserve(database, "bob", 300_000)
    put_video(database, "charlie", size=7_000_000)
    alice.post(f"/admin/users/{user_id(database, 'alice')}", data={"quota": "no limit"})
    page = text_of(alice.get("/admin/users").text)
    assert "3.9 MB of 4 MB" in page
    assert "charlie Over quota Uploader 7 MB of 4 MB" in page
    assert "0 bytes" in page
    page = text_of(alice.get(f"/admin/users/{user_id(database, 'bob')}").text)
    assert "3.9 MB of 4 MB 2 videos, 800 kB for unfinished uploads" in page
    assert "the default applies: 4 MB" in page


def test_everybody_sees_on_their_own_page_what_they_store(
    site: Site, alice: Client, bob: Client, database: Database
) -> None:
    put_video(database, "alice", size=1_000_000)
    reserve(database, "alice", 500_000)
    put_video(database, "bob", size=9_000_000)
    assert "1.5 MB. There is no quota" in text_of(alice.get("/account").text)
    set_site(site, quota=4_000_000)
    page = text_of(alice.get("/account").text)
    assert "1.5 MB of your 4 MB" in page
    assert "1 MB in videos 500 kB kept for unfinished uploads · Upload" in page
    alice.post(f"/admin/users/{user_id(database, 'alice')}", data={"quota": "2 MB"})
    assert "1.5 MB of your 2 MB" in text_of(alice.get("/account").text)


def test_the_account_page_says_how_much_is_in_the_bin(alice: Client, database: Database) -> None:
    put_video(database, "alice", size=3_000_000)
    assert "in your bin" not in text_of(alice.get("/account").text)
    database.write(lambda session: session.query(Video).update({"binned_at": now()}))
    page = text_of(alice.get("/account").text)
    assert "3 MB in videos 3 MB of them in your bin · Bin" in page


def test_a_quota_that_was_set_is_what_uploads_are_held_to(
    site: Site, alice: Client, database: Database
) -> None:
    def announce(size: int) -> int:
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size)}
        return alice.post("/upload/files", headers=headers).status_code

    site.apps["upload"].extensions["matinee"].settings.videos_dir.joinpath("incoming").mkdir()
    set_site(site, quota=1_000_000)
    where = f"/admin/users/{user_id(database, 'alice')}"
    assert announce(2_000_000) == 413
    alice.post(where, data={"quota": "3 MB"})
    assert announce(2_000_000) == 201
    assert announce(2_000_000) == 413
    alice.post(where, data={"quota": "no limit"})
    assert announce(500_000_000) == 201
    alice.post(where, data={"quota": ""})
    assert announce(1) == 413
