"""Who gets a video's file, in what order that is decided, and with which headers."""

import itertools
from collections.abc import Callable

import pytest

from common.web.auth import SESSION_COOKIE
from db.models import now
from tests.conftest import Client
from tests.delivery.questions import QUESTIONS

from .conftest import BYTES, House

Put = Callable[..., str]

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
HEADERS = [
    {},
    {"Range": "bytes=0-99"},
    {"Range": "bytes=1000-"},
    {"Range": "bytes=0-1,5-6"},
    {"If-None-Match": "*"},
    {"If-Match": '"another"'},
    {"Range": "bytes=0-99", "If-None-Match": "*"},
]


def media(video_id: str) -> str:
    """Return the address of a video's file."""
    return f"/stream/{video_id}/video.mp4"


def test_answers_without_a_file_wrapper(alice: Client, put: Put) -> None:
    """The same table as of real servers, read in pieces where there is no `sendfile`."""
    path = media(put())
    known = alice.head(path).headers
    for question in QUESTIONS:
        asked = question.filled(etag=known["ETag"], modified=known["Last-Modified"])

        answer = alice.open(path, method=question.method, headers=asked)

        assert answer.status_code == question.status, question
        if question.part is not None:
            first, last = question.part.start, question.part.stop - 1
            body = b"" if question.method == "HEAD" else BYTES[first : last + 1]
            assert answer.data == body, question
            assert answer.headers["Content-Length"] == str(len(question.part)), question


def test_a_stranger_gets_the_same_whatever_they_ask(
    put: Put, bob: Client, charlie: Client, nobody: Client
) -> None:
    for path in (media(put()), media("A" * 22), media(put(deleted_at=now()))):
        for method, headers in itertools.product(METHODS, HEADERS):
            statuses = [
                someone.open(path, method=method, headers=headers).status_code
                for someone in (nobody, bob, charlie)
            ]
            assert statuses == [401, 404, 404], (path, method, headers)


def test_only_fetching_is_for_those_who_may_watch(alice: Client, put: Put) -> None:
    path = media(put())
    for method in METHODS[2:]:
        answer = alice.open(path, method=method)

        assert answer.status_code == 405
        assert answer.headers["Allow"] == "GET, HEAD"
        assert answer.is_json


def test_who_may_fetch_which(put: Put, alice: Client, bob: Client, nobody: Client) -> None:
    allowed = {"private": [200, 404, 401], "members": [200, 200, 401], "public": [200, 200, 200]}
    for visibility, statuses in allowed.items():
        path = media(put(visibility=visibility))
        assert [c.get(path).status_code for c in (alice, bob, nobody)] == statuses


def test_bob_never_gets_what_alice_was_given_at_the_same_address(
    put: Put, alice: Client, bob: Client
) -> None:
    path = media(put())
    for _ in range(3):
        assert alice.get(path).data == BYTES
        assert bob.get(path).status_code == 404


def test_media_headers(alice: Client, put: Put) -> None:
    answer = alice.get(media(put()), headers={"Range": "bytes=0-9"})

    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["X-Request-Id"]
    assert "Set-Cookie" not in answer.headers
    assert not answer.headers["ETag"].startswith("W/")


def test_head_gives_the_headers_of_get(alice: Client, put: Put) -> None:
    path = media(put())
    known = alice.head(path).headers
    for question in QUESTIONS:
        asked = question.filled(etag=known["ETag"], modified=known["Last-Modified"])

        got, head = alice.get(path, headers=asked), alice.head(path, headers=asked)

        assert head.data == b"", question
        assert head.status_code == got.status_code, question
        for name in ("Content-Length", "Content-Range", "Content-Type", "ETag", "Cache-Control"):
            assert head.headers.get(name) == got.headers.get(name), question


def test_a_bearer_token_opens_what_its_owner_may_watch(
    house: House, put: Put, bob: Client, nobody: Client
) -> None:
    path = media(put())

    def ask(token: str) -> int:
        return nobody.get(path, headers={"Authorization": f"Bearer {token}"}).status_code

    assert [ask(house.tokens["alice"]), ask(house.tokens["bob"]), ask("x")] == [200, 404, 401]


@pytest.mark.parametrize(
    "token", ["", "x", "x" * 10_000, "%00", "\xff\xfe", '"', "a b", "a;b", "="]
)
def test_a_cookie_that_is_not_ours_is_signed_out(put: Put, nobody: Client, token: str) -> None:
    answer = nobody.get(media(put()), headers={"Cookie": f"{SESSION_COOKIE}={token}"})

    assert answer.status_code == 401


def test_unsharing_bites_at_once(put: Put, alice: Client, bob: Client, nobody: Client) -> None:
    video_id = put(visibility="public")
    assert [c.get(media(video_id)).status_code for c in (bob, nobody)] == [200, 200]

    alice.patch(f"/api/videos/{video_id}", json={"visibility": "members"})
    assert [c.get(media(video_id)).status_code for c in (bob, nobody)] == [200, 401]

    alice.patch(f"/api/videos/{video_id}", json={"visibility": "private"})
    assert [c.get(media(video_id)).status_code for c in (bob, nobody)] == [404, 401]
    assert alice.get(media(video_id)).status_code == 200


def test_deleting_bites_at_once(put: Put, alice: Client, nobody: Client) -> None:
    video_id = put(visibility="public")
    assert nobody.get(media(video_id)).status_code == 200

    alice.post(f"/stream/{video_id}/delete")

    assert [c.get(media(video_id)).status_code for c in (alice, nobody)] == [404, 401]


def test_an_answer_under_way_finishes_after_the_video_is_deleted(put: Put, alice: Client) -> None:
    video_id = put(data=BYTES * 1000)
    answer = alice.get(media(video_id), buffered=False)
    pieces = answer.iter_encoded()
    begun = next(pieces)

    alice.post(f"/stream/{video_id}/delete")

    assert begun + b"".join(pieces) == BYTES * 1000
    answer.close()


def test_signing_out_bites_at_once(house: House, put: Put, alice: Client) -> None:
    path = media(put())
    assert alice.get(path).status_code == 200

    house.sessions.end(house.tokens["alice"])

    assert alice.get(path).status_code == 401


def test_an_empty_file_has_no_ranges(put: Put, alice: Client) -> None:
    path = media(put(data=b""))

    plain = alice.get(path)
    part = alice.get(path, headers={"Range": "bytes=0-"})
    end = alice.get(path, headers={"Range": "bytes=-5"})

    assert [plain.status_code, part.status_code, end.status_code] == [200, 200, 200]
    assert plain.headers["Content-Length"] == "0"


def test_a_missing_file_is_not_there(house: House, put: Put, alice: Client) -> None:
    video_id = put()
    (house.site.videos_dir / video_id / "original.mp4").unlink()

    assert alice.get(media(video_id)).status_code == 404


@pytest.mark.parametrize(
    "name", ["original.mp4", "poster.png", "x", ".x", "video.mp4/", "VIDEO.MP4", "hls/a.ts", "hls/"]
)
def test_other_names_are_not_there(put: Put, alice: Client, name: str) -> None:
    assert alice.get(f"/stream/{put()}/{name}").status_code == 404


@pytest.mark.parametrize("video_id", ["-" * 22, "A" * 21, "A" * 23, "incoming", "..", "é" * 22])
def test_what_is_no_id_is_not_there(alice: Client, nobody: Client, video_id: str) -> None:
    assert [c.get(media(video_id)).status_code for c in (alice, nobody)] == [404, 404]


def test_another_site_cannot_post_here(put: Put, alice: Client) -> None:
    answer = alice.post(media(put()), headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403


FILES = {
    "poster.jpg": ("poster.jpg", "image/jpeg"),
    "storyboard.jpg": ("storyboard.jpg", "image/jpeg"),
    "storyboard.vtt": ("storyboard.vtt", "text/vtt; charset=utf-8"),
    "master.m3u8": ("hls/master.m3u8", "application/vnd.apple.mpegurl"),
    "hls/720p.m3u8": ("hls/720p.m3u8", "application/vnd.apple.mpegurl"),
    "hls/720p.mp4": ("hls/720p.mp4", "video/mp4"),
}


@pytest.mark.parametrize("name", FILES)
def test_every_file_of_a_video_is_for_those_who_may_watch(
    house: House, put: Put, alice: Client, bob: Client, nobody: Client, name: str
) -> None:
    place, content_type = FILES[name]
    path = f"/stream/{(video_id := put())}/{name}"
    assert [c.get(path).status_code for c in (alice, bob, nobody)] == [404, 404, 401]

    file = house.site.videos_dir / video_id / place
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"bytes of " + name.encode())

    answer = alice.get(path, headers={"Range": "bytes=9-"})
    assert (answer.status_code, answer.data) == (206, name.encode())
    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert [c.get(path).status_code for c in (bob, nobody)] == [404, 401]
    assert alice.post(path).status_code == 405


def test_a_download_is_for_the_owner_and_for_whom_the_owner_lets(
    house: House, put: Put, alice: Client, bob: Client, nobody: Client
) -> None:
    closed, open_ = put(visibility="public"), put(visibility="public", downloadable=True)
    hidden = put(downloadable=True)

    def statuses(video_id: str) -> list[int]:
        path = f"/stream/{video_id}/download"
        return [c.get(path).status_code for c in (alice, bob, nobody)]

    assert statuses(closed) == [200, 404, 401]
    assert statuses(open_) == [200, 200, 200]
    assert statuses(hidden) == [200, 404, 401]


def test_a_download_is_called_as_its_uploader_called_it(put: Put, alice: Client) -> None:
    named = alice.get(f"/stream/{put(file_name='Übung 1.mov')}/download")
    titled = alice.get(f"/stream/{put(title='By the sea')}/download")

    full = "attachment; filename=\"_bung 1.mp4\"; filename*=UTF-8''%C3%9Cbung%201.mp4"
    assert named.headers["Content-Disposition"] == full
    assert 'filename="By the sea.mp4"' in titled.headers["Content-Disposition"]
    assert named.data == BYTES
    assert "Content-Disposition" not in alice.get(media(put())).headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("asked", "status"), [(None, 200), ("bytes=10-19", 206)])
def test_a_download_is_of_no_type_that_a_browser_would_play(
    put: Put, alice: Client, asked: str | None, status: int, method: str
) -> None:
    path = f"/stream/{put(container='mkv', playable=False)}/download"

    answer = alice.open(path, method=method, headers={"Range": asked} if asked else {})

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert 'filename="A day at the sea.mkv"' in answer.headers["Content-Disposition"]


def test_the_bytes_of_a_refused_video_are_for_nobody(
    put: Put, alice: Client, nobody: Client
) -> None:
    path = media(put(visibility="public", rejection_reason="The file is cut off."))

    assert [c.get(path).status_code for c in (alice, nobody)] == [404, 401]
