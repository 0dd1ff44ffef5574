"""Settings of the site: rows that administrators change, and that the environment comes before."""

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from werkzeug.test import TestResponse

from common.fixed_settings import Registration, read_fixed
from common.settings import Environment, SettingsError
from common.site_settings import change_setting
from common.web.auth import SESSION_COOKIE
from db.engine import Database
from db.models import AuditEntry, Logo, Role, Setting, Visibility
from tests import media
from tests.auth_service.conftest import PASSWORD, account, at_once, user_id
from tests.auth_service.site_settings import set_site
from tests.conftest import Client, Site


def save(alice: Client, **fields: str) -> int:
    return alice.post("/admin/settings", data=fields).status_code


def register(site: Site, name: str) -> int:
    form = {"username": name, "password": PASSWORD}
    return site.browser().post("/register", data=form).status_code


def test_the_first_administrator_is_led_through_three_steps(site: Site) -> None:
    browser = site.browser()
    assert browser.get("/").location == "/register"
    where = browser.post("/register", data={"username": "alice", "password": PASSWORD}).location
    assert where == "/admin/setup"
    assert "Step 1 of 3" in browser.get(where).text
    where = browser.post(where, data={"name": "  Family   films "}).location
    assert where == "/admin/setup/joining"
    where = browser.post(where, data={"registration": "invitation"}).location
    assert where == "/admin/setup/upload"
    page = browser.get(where).text
    assert 'href="/upload"' in page
    assert browser.get("/api/settings").get_json()["settings"]["name"] == "Family films"
    assert register(site, "bob") == 403
    assert "invitation" in site.browser().get("/register").text


def test_each_step_can_be_skipped(alice: Client) -> None:
    assert 'href="/admin/setup/joining"' in alice.get("/admin/setup").text
    assert 'href="/admin/setup/upload"' in alice.get("/admin/setup/joining").text
    assert 'href="/stream"' in alice.get("/admin/setup/upload").text


def test_what_is_wrong_in_a_step_is_said_there(alice: Client) -> None:
    answer = alice.post("/admin/setup", data={"name": " "})
    assert answer.status_code == 422
    assert "1 to 40 characters" in answer.text


@pytest.mark.on_mysql
def test_a_setting_is_kept_applies_at_once_and_is_recorded(
    site: Site, alice: Client, database: Database
) -> None:
    assert save(alice, registration="closed") == 303
    assert register(site, "bob") == 403
    assert save(alice, registration="open", new_role="viewer") == 303
    assert register(site, "bob") == 303
    assert account(database, "bob").role is Role.VIEWER
    wanted = select(AuditEntry.object_id).where(AuditEntry.action == "setting.changed")
    found = database.read(lambda session: list(session.scalars(wanted)))
    assert found == ["registration", "registration", "new_role"]
    assert "setting: registration, before: open, value: closed" in alice.get("/stream/audit").text
    row = database.read(lambda session: session.get(Setting, "registration"))
    assert row is not None
    assert row.updated_by_id == user_id(database, "alice")


@pytest.mark.on_mysql
def test_simultaneous_changes_of_one_setting_are_all_taken(
    site: Site, alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = alice.get_cookie(SESSION_COOKIE)
    assert cookie is not None

    def change(number: int) -> TestResponse:
        browser = site.browser()
        browser.set_cookie(SESSION_COOKIE, cookie.value)
        return browser.post("/admin/settings", data={"bin_days": str(number + 1)})

    assert at_once(6, change) == [303] * 6

    name = "auth_service.site_admin.change_setting"

    def added_meanwhile(*_args: Any, **_options: Any) -> None:
        monkeypatch.setattr(name, change_setting)
        raise IntegrityError("INSERT", None, Exception("duplicate"))

    monkeypatch.setattr(name, added_meanwhile)
    assert save(alice, bin_days="9") == 303
    assert alice.get("/api/settings").get_json()["settings"]["bin_days"] == "9"


def test_the_environment_wins_and_the_page_says_so(site: Site, alice: Client) -> None:
    save(alice, bin_days="7")
    set_site(site, bin_days=99, registration=Registration.CLOSED)
    page = alice.get("/admin/settings").text
    assert "Set by BIN_DAYS in the environment" in page
    assert 'value="99"' in page
    assert save(alice, bin_days="99", name="Ours") == 303  # as a whole form sends it
    answer = alice.post("/admin/settings", data={"bin_days": "8"})
    assert (answer.status_code, "BIN_DAYS" in answer.text) == (409, True)
    assert register(site, "bob") == 403
    set_site(site, bin_days=None)
    assert 'value="7"' in alice.get("/admin/settings").text


def test_the_settings_of_the_environment_are_read_strictly() -> None:
    assert read_fixed(Environment({})) == {}
    found = read_fixed(
        Environment(
            {"SITE_NAME": "Ours", "REGISTRATION": "invitation", "LINK_REQUIRE_EXPIRY": "false"}
        )
    )
    assert found == {"name": "Ours", "registration": "invitation", "link_require_expiry": False}
    for name, value in (
        ("REGISTRATION", "maybe"),
        ("BIN_DAYS", "0"),
        ("DEFAULT_VISIBILITY", "all"),
    ):
        with pytest.raises(SettingsError, match=name):
            read_fixed(Environment({name: value}))


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("name", ""),
        ("name", "x" * 41),
        ("registration", "maybe"),
        ("new_role", "admin"),
        ("visibility", "all"),
        ("quota", "much"),
        ("language", "xx"),
        ("bin_days", "0"),
        ("bin_days", "1.5"),
        ("link_max_age", "-1"),
        ("link_require_password", "maybe"),
    ],
)
def test_a_wrong_value_changes_nothing_of_the_form(
    alice: Client, database: Database, key: str, text: str
) -> None:
    answer = alice.post("/admin/settings", data={"new_role": "viewer", key: text})
    assert answer.status_code == 422
    assert database.read(lambda session: list(session.scalars(select(Setting)))) == []


def test_new_videos_have_the_visibility_of_the_settings(alice: Client) -> None:
    save(alice, visibility="members")
    file = (io.BytesIO(media.mp4()), "film.mp4")
    answer = alice.post("/upload", data={"title": "A day", "file": file})
    video = answer.location.rpartition("/")[2].partition("?")[0]
    found = alice.get(f"/api/videos/{video}").get_json()
    assert found["visibility"] == Visibility.MEMBERS.value


def test_who_chooses_private_gets_it_where_new_videos_are_for_members(alice: Client) -> None:
    save(alice, visibility="members")
    assert '<option value="members" selected>' in " ".join(alice.get("/upload").text.split())
    file = (io.BytesIO(media.mp4()), "film.mp4")
    answer = alice.post("/upload", data={"title": "A day", "visibility": "private", "file": file})
    video = answer.location.rpartition("/")[2].partition("?")[0]
    assert alice.get(f"/api/videos/{video}").get_json()["visibility"] == Visibility.PRIVATE.value


def test_a_script_is_told_that_a_setting_is_saved_or_why_not(alice: Client) -> None:
    json = {"Accept": "application/json"}
    answer = alice.post("/admin/settings", data={"bin_days": "9"}, headers=json)
    assert answer.get_json() == {"saved": True}
    answer = alice.post("/admin/settings", data={"bin_days": "x"}, headers=json)
    assert (answer.status_code, "whole number" in answer.get_json()["error"]) == (422, True)


def picture(kind: str = "PNG", size: tuple[int, int] = (600, 300)) -> bytes:
    output = io.BytesIO()
    Image.new("RGB", size, "orange").save(output, kind)
    return output.getvalue()


def send_logo(alice: Client, content: bytes) -> int:
    data = {"logo": (io.BytesIO(content), "logo.png")}
    return alice.post("/admin/settings/logo", data=data).status_code


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_logo_is_drawn_anew_small_and_shown_to_everybody(
    site: Site, alice: Client, kind: str
) -> None:
    assert send_logo(alice, picture(kind)) == 303
    where = alice.get("/api/settings").get_json()["logo"]
    answer = site.browser().get(where)
    assert answer.headers["Content-Type"] == "image/png"
    with Image.open(io.BytesIO(answer.data)) as drawn:
        assert (drawn.format, drawn.size) == ("PNG", (256, 128))
    assert "immutable" in answer.headers["Cache-Control"]


def test_metadata_of_a_logo_is_dropped(site: Site, alice: Client) -> None:
    output, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = "taken at home"
    Image.new("RGB", (10, 10)).save(output, "JPEG", exif=exif, icc_profile=b"my screen")
    assert b"taken at home" in output.getvalue()
    send_logo(alice, output.getvalue())
    where = alice.get("/api/settings").get_json()["logo"]
    drawn = site.browser().get(where).data
    assert b"taken at home" not in drawn
    assert b"iCCP" not in drawn


def bomb() -> bytes:
    """Return a small PNG that announces 30,000 by 30,000 pixels."""
    size = 30_000

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1_000_000)
    magic = b"\x89PNG\r\n\x1a\n"
    return magic + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html>",
        picture()[:200],
        picture("GIF"),
        bomb(),
        b"\x89PNG\r\n\x1a\n" + b"x" * 504_000,
    ],
    ids=["svg", "html", "cut", "gif", "bomb", "large"],
)
def test_what_is_no_picture_is_no_logo(alice: Client, database: Database, content: bytes) -> None:
    assert send_logo(alice, content) in (413, 422)
    assert database.read(lambda session: list(session.scalars(select(Logo)))) == []


def test_a_logo_is_replaced_and_removed(site: Site, alice: Client, database: Database) -> None:
    send_logo(alice, picture(size=(20, 20)))
    send_logo(alice, picture(size=(30, 30)))
    assert len(database.read(lambda session: list(session.scalars(select(Logo))))) == 1
    data = {"logo": (io.BytesIO(b""), "")}
    assert alice.post("/admin/settings/logo", data=data).status_code == 303
    assert alice.get("/api/settings").get_json()["logo"] is None
    assert site.browser().get("/logo/" + "0" * 64 + ".png").status_code == 404
