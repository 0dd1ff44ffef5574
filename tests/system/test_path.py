"""The whole path over HTTP: what goes in comes out, for whom it should, and for nobody else."""

import hashlib
from pathlib import Path

import pytest
import requests

from tests.system.deployment import Origin
from tests.system.http_client import Person, sign_in
from tests.waiting import wait_until

pytestmark = [pytest.mark.needs_ffmpeg, pytest.mark.usefixtures("without_processing")]

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
RANGES = [None, "bytes=0-99", "bytes=-10", "bytes=5-", "bytes=0-0,2-3", "bytes=99999999-", "x=1-2"]


def media(video: str) -> str:
    return f"/stream/{video}/video.mp4"


@pytest.fixture(scope="module")
def private(cast: dict[str, Person], video_file: Path) -> str:
    """A video that Alice keeps to herself."""
    return cast["alice"].upload(video_file, title="Only Alice's")


@pytest.fixture
def shown(alice: Person, video_file: Path) -> str:
    """A video of Alice's, for the test to show and hide."""
    return alice.upload(video_file, title="Shown")


def test_the_first_account_is_the_administrator_and_no_other(alice: Person, bob: Person) -> None:
    assert alice.get("/admin").status_code == 200
    assert bob.get("/admin").status_code == 403


def test_the_bytes_that_went_in_come_out(alice: Person, private: str, video_file: Path) -> None:
    answer = alice.get(media(private))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "video/mp4"
    assert (
        hashlib.sha256(answer.content).digest() == hashlib.sha256(video_file.read_bytes()).digest()
    )


def test_every_port_serves_the_whole_site(origin: Origin, alice: Person, private: str) -> None:
    for url in origin.other_urls:
        assert alice.get(f"{url}{media(private)}").status_code == 200
        assert alice.get(f"{url}/stream").status_code == 200
        assert requests.get(f"{url}/login", timeout=5).status_code == 200


def test_every_service_has_the_translations(alice: Person) -> None:
    german = {"/account": "Ihr Konto", "/upload": "Hochladen", "/stream": "Mediathek"}
    for path, words in german.items():
        assert words in alice.get(path, headers={"Accept-Language": "de"}).text


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", RANGES)
def test_a_private_video_is_nobody_elses_by_any_method_and_range(
    cast: dict[str, Person], private: str, method: str, value: str | None
) -> None:
    headers = {"Range": value} if value else {}
    for name, status in (("nobody", 401), ("bob", 404)):
        answer = cast[name].request(method, media(private), headers=headers)
        assert answer.status_code == status, name
        assert b"ftyp" not in answer.content
        assert answer.headers["Cache-Control"] == "no-store"


def test_not_yours_and_not_there_look_the_same(bob: Person, private: str) -> None:
    missing = "x" * 22
    for path in (media, lambda video: f"/stream/{video}", lambda video: f"/api/videos/{video}"):
        theirs, none = bob.get(path(private)), bob.get(path(missing))
        assert theirs.status_code == none.status_code == 404
        assert theirs.text == none.text


def test_the_gateway_never_gives_one_persons_answer_to_another(
    cast: dict[str, Person], private: str
) -> None:
    """Again and again within the second that an answer is kept."""
    for _ in range(20):
        assert cast["alice"].get(media(private), headers={"Range": "bytes=0-9"}).status_code == 206
        assert cast["bob"].get(media(private)).status_code == 404
        assert cast["nobody"].get(media(private)).status_code == 401


@pytest.mark.parametrize(
    ("visibility", "expected"),
    [
        ("private", {"alice": 200, "bob": 404, "nobody": 401}),
        ("members", {"alice": 200, "bob": 200, "nobody": 401}),
        ("public", {"alice": 200, "bob": 200, "nobody": 200}),
    ],
)
def test_visibility_decides_who_watches(
    cast: dict[str, Person], shown: str, visibility: str, expected: dict[str, int]
) -> None:
    cast["alice"].show(shown, visibility)
    for name, status in expected.items():
        assert cast[name].get(media(shown)).status_code == status, name


def refused_within_a_second(person: Person, video: str) -> None:
    """The second that the gateway keeps an answer, and a margin for a busy machine."""
    wait_until(
        lambda: person.get(media(video), headers={"Range": "bytes=0-9"}).status_code in (401, 404),
        within=1.5,
        what="the refusal",
    )


def test_hiding_a_video_bites_within_a_second(alice: Person, bob: Person, shown: str) -> None:
    alice.show(shown, "members")
    assert bob.get(media(shown)).status_code == 200
    alice.show(shown, "private")
    refused_within_a_second(bob, shown)


def test_deleting_a_video_bites_within_a_second(alice: Person, bob: Person, shown: str) -> None:
    alice.show(shown, "members")
    assert bob.get(media(shown)).status_code == 200
    assert alice.post(f"/stream/{shown}/delete").status_code == 303
    refused_within_a_second(bob, shown)
    assert bob.get(f"/stream/{shown}").status_code == 404


def test_logging_out_bites_within_a_second(origin: Origin, shown: str) -> None:
    with sign_in(origin.url, "alice") as alice:
        cookies = alice.cookies.copy()
        assert alice.get(media(shown)).status_code == 200
        assert alice.post("/logout").status_code == 303
        alice.cookies = cookies
        refused_within_a_second(alice, shown)
        assert alice.get("/api/videos").status_code == 401


def test_disabling_an_account_bites_within_a_second(
    origin: Origin, alice: Person, charlie: Person, shown: str
) -> None:
    alice.show(shown, "members")
    assert charlie.get(media(shown)).status_code == 200
    found = alice.get("/api/accounts?q=charlie").json()["accounts"]
    [charlies] = [account["id"] for account in found if account["name"] == "charlie"]
    where = f"/admin/users/{charlies}"
    try:
        assert alice.post(where, data={"state": "disabled"}).status_code == 303
        refused_within_a_second(charlie, shown)
    finally:
        assert alice.post(where, data={"state": "active"}).status_code == 303
        again = sign_in(origin.url, "charlie")
        charlie.cookies = again.cookies
        again.close()


def test_a_bearer_token_opens_what_a_cookie_opens(origin: Origin, private: str) -> None:
    with Person(origin.url) as script:
        name = {"username": "alice", "password": "correct horse battery"}
        token = script.post("/api/session", json=name).json()["token"]
        script.cookies.clear()
        assert script.get(media(private)).status_code == 401
        script.headers["Authorization"] = f"Bearer {token}"
        assert script.get(media(private)).status_code == 200
        assert script.get("/api/videos").status_code == 200


def test_a_double_click_gives_one_video(alice: Person, video_file: Path) -> None:
    first, second = (alice.post_form(video_file, submission="A" * 22) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]


def test_the_same_file_twice_gives_two_videos(alice: Person, video_file: Path) -> None:
    assert alice.upload(video_file) != alice.upload(video_file)


def test_what_is_no_mp4_is_rejected_with_the_reason(alice: Person, tmp_path: Path) -> None:
    wrong = tmp_path / "video.mp4"
    wrong.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000))
    before = alice.video_ids()
    answer = alice.post_form(wrong)
    assert answer.status_code == 422
    assert "PNG" in answer.text
    assert alice.video_ids() == before


def test_a_script_uploads_with_a_token(origin: Origin, alice: Person, video_file: Path) -> None:
    """As docs/api.md shows it: a title before the file, and JSON back."""
    with Person(origin.url) as script:
        del script.headers["Sec-Fetch-Site"]
        name = {"username": "alice", "password": "correct horse battery"}
        token = script.post("/api/session", json=name).json()["token"]
        script.cookies.clear()
        script.headers.update(Authorization=f"Bearer {token}", Accept="application/json")
        with video_file.open("rb") as file:
            answer = script.post("/upload", data={"title": "By script"}, files={"file": file})
        assert answer.status_code == 201
        assert answer.json()["title"] == "By script"
        video = script.get(f"/api/videos/{answer.json()['id']}").json()
        assert video["visibility"] == "private"
        assert script.get(video["urls"]["media"]).content == video_file.read_bytes()
        assert script.delete("/api/session").status_code == 204
        assert script.get("/api/videos").status_code == 401
