"""Files of videos: who is asked, with what, and what comes with the bytes."""

import json

import pytest

from tests.fake_service import Reply, Seen
from tests.standalone.harness import BYTES, MEDIA, VIDEO, Front, grant
from tests.waiting import wait_until

TOKEN = "alice-token_of_43_characters"
FILES = {
    "poster.jpg": ("poster.jpg", "image/jpeg"),
    "storyboard.jpg": ("storyboard.jpg", "image/jpeg"),
    "storyboard.vtt": ("storyboard.vtt", "text/vtt; charset=utf-8"),
    "master.m3u8": ("hls/master.m3u8", "application/vnd.apple.mpegurl"),
    "hls/720p.m3u8": ("hls/720p.m3u8", "application/vnd.apple.mpegurl"),
    "hls/720p.mp4": ("hls/720p.mp4", "video/mp4"),
}


def test_the_question_holds_what_it_depends_on_and_nothing_else(front: Front) -> None:
    forged = {
        "Cookie": f"other=1; matinee_session={TOKEN}; matinee_visits=one.two",
        "X-Video": "B" * 22,
        "X-Media-Name": "poster.jpg",
        "X-Session-Token": "forged",
        "X-Bearer": "Bearer forged",
        "X-Visits": "forged",
        "X-Media-Path": f"{VIDEO}/poster.jpg",
        "X-Request-Id": "f" * 32,
        "Range": "bytes=0-9",
        "Content-Type": "text/plain",
    }
    for method, body in (("GET", None), ("POST", b"a body")):
        front.ask(MEDIA, forged, method=method, body=body)

        [seen] = front.streaming.seen
        assert (seen.method, seen.path, seen.body) == ("GET", "/internal/authorise", b"")
        told = {name.lower(): value for name, value in seen.headers.items() if value}
        assert told.pop("x-request-id") != "f" * 32
        for name in ("user-agent", "accept-encoding"):  # the server's own
            told.pop(name, None)
        assert told == {
            "host": "gateway",
            "x-session-token": TOKEN,
            "x-visits": "one.two",
            "x-video": VIDEO,
            "x-media-name": "video.mp4",
        }
        front.streaming.seen.clear()


@pytest.mark.parametrize(
    ("authorization", "bearer"),
    [("Bearer abc", "Bearer abc"), ("bearer abc", "bearer abc"), ("Basic abc", ""), ("", "")],
)
def test_a_bearer_is_told_and_another_scheme_is_not(
    front: Front, authorization: str, bearer: str
) -> None:
    """A proxy in front may ask for a password of its own."""
    front.ask(headers={"Authorization": authorization, "Cookie": f"matinee_session={TOKEN}"})

    assert front.streaming.seen[-1].headers["X-Bearer"] == bearer
    assert front.streaming.seen[-1].headers["X-Session-Token"] == TOKEN


@pytest.mark.parametrize(
    ("said", "status", "sentence"),
    [
        (401, 401, "Sign in to watch this."),
        (403, 404, "There is nothing here."),
        (503, 503, "Matinee is starting or busy. Try again in a moment."),
        (500, 503, "Matinee is starting or busy. Try again in a moment."),
        (302, 503, "Matinee is starting or busy. Try again in a moment."),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_refusal_is_json_whatever_is_asked(
    front: Front, said: int, status: int, sentence: str, method: str
) -> None:
    front.streaming.reply = lambda _: Reply(said, {"X-Media-Path": f"{VIDEO}/original.mp4"})

    answer = front.ask(method=method, headers={"Range": "bytes=5000-"})

    assert answer.status == status
    assert json.loads(answer.body)["error"] == sentence
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Retry-After") == ("2" if status == 503 else None)


def test_a_query_changes_nothing(front: Front) -> None:
    assert front.ask(f"{MEDIA}?X-Video=1").body == BYTES
    assert front.streaming.seen[-1].path == "/internal/authorise"


def test_bytes_are_only_fetched(front: Front) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"):
        answer = front.ask(method=method)

        assert answer.status == 405
        assert answer.header("Allow") == "GET, HEAD"
        assert json.loads(answer.body) == {"error": "This address does not take that method."}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_media_headers(front: Front, method: str) -> None:
    answer = front.ask(headers={"Range": "bytes=0-9"}, method=method)

    assert answer.status == 206
    assert answer.header("Content-Type") == "video/mp4"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Cache-Control") == "private, no-cache"
    assert answer.header("Cross-Origin-Resource-Policy") == "same-origin"
    assert answer.header("Content-Security-Policy") == "default-src 'none'; frame-ancestors 'none'"
    assert answer.header("X-Request-Id")
    assert answer.header("Set-Cookie") is None
    assert answer.header("Server") is None
    assert not (answer.header("ETag") or "W/").startswith("W/")


@pytest.mark.parametrize("name", FILES)
def test_every_file_of_a_video(front: Front, name: str) -> None:
    place, content_type = FILES[name]
    file = front.videos / VIDEO / place
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(BYTES)
    front.streaming.reply = lambda _: Reply(204, {"X-Media-Path": f"{VIDEO}/{place}"})

    # Text is not compressed either: ranges are of the file's own bytes.
    answer = front.ask(f"/stream/{VIDEO}/{name}", {"Accept-Encoding": "gzip"})

    assert (answer.status, answer.body) == (200, BYTES)
    assert answer.header("Content-Type") == content_type
    assert front.streaming.seen[-1].headers["X-Media-Name"] == name


@pytest.mark.parametrize(("asked", "status"), [(None, 200), ("bytes=10-19", 206)])
def test_a_download_is_of_no_type_that_a_browser_would_play(
    front: Front, asked: str | None, status: int
) -> None:
    headers = {"Range": asked} if asked else {}

    answer = front.ask(f"/stream/{VIDEO}/download", headers)

    assert answer.status == status
    assert answer.header("Content-Type") == "application/octet-stream"
    assert answer.header("Content-Disposition") == 'attachment; filename="{env.HOME}.mp4"'
    assert front.ask().header("Content-Disposition") is None


def test_a_download_that_cannot_be_is_not_called_a_file(front: Front) -> None:
    beyond = front.ask(f"/stream/{VIDEO}/download", {"Range": "bytes=5000-"})
    posted = front.ask(f"/stream/{VIDEO}/download", method="POST")

    assert (beyond.status, posted.status) == (416, 405)
    assert beyond.header("Content-Disposition") is posted.header("Content-Disposition") is None


def test_a_range_that_is_not_there_is_told_as_json(front: Front) -> None:
    answer = front.ask(headers={"Range": "bytes=1000-"})

    assert answer.status == 416
    assert json.loads(answer.body) == {"error": "The file has no such range of bytes."}
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Cache-Control") == "private, no-cache"
    assert answer.header("Content-Range") == "bytes */1000"


@pytest.mark.parametrize(
    "place",
    [
        "",
        "../matinee.db",
        f"{VIDEO}/../../Caddyfile",
        f"{VIDEO}/nothing.mp4",
        f"{VIDEO}/",
        "incoming/original.mp4",
        f"/{VIDEO}/original.mp4",
        f"{VIDEO}/original.mp4/",
        f"{VIDEO}/hls/../original.mp4",
        f"{VIDEO}%2foriginal.mp4",
    ],
)
def test_no_other_file_is_sent_whatever_the_service_says(front: Front, place: str) -> None:
    front.streaming.reply = lambda _: Reply(204, {"X-Media-Path": place} if place else {})

    answer = front.ask()

    assert answer.status == 404
    assert answer.header("Content-Type") == "application/json"


def test_a_file_that_is_gone_is_not_there(front: Front) -> None:
    answer = front.ask(f"/stream/{VIDEO}/hls/gone.mp4")

    assert answer.status == 404
    assert json.loads(answer.body) == {"error": "There is nothing here."}
    assert answer.header("Cache-Control") == "no-store"


@pytest.mark.parametrize("token", ["{env.HOME}", "{http.request.host}", "a{b", "}"])
def test_nothing_that_a_client_sends_is_expanded(front: Front, token: str) -> None:
    front.ask(headers={"Cookie": f"matinee_session={token}", "Authorization": f"Bearer {token}"})

    assert front.streaming.seen[-1].headers["X-Session-Token"] == token
    assert front.streaming.seen[-1].headers["X-Bearer"] == f"Bearer {token}"


def test_every_request_is_authorised_by_itself(front: Front) -> None:
    """An answer to Alice must not serve Bob."""

    def only_alice(seen: Seen) -> Reply:
        return grant(seen) if seen.headers["X-Session-Token"] == TOKEN else Reply(403)

    front.streaming.reply = only_alice

    def ask(token: str) -> int:
        return front.ask(headers={"Cookie": f"matinee_session={token}"}).status

    assert [ask(TOKEN), ask("bobs"), ask(TOKEN), ask("")] == [200, 404, 200, 404]


def test_the_log_names_the_request_and_no_secret(front: Front) -> None:
    secret = "a-secret-that-nobody-logs"
    answer = front.ask(
        f"{MEDIA}?q={secret}",
        {
            "Cookie": f"matinee_session={secret}",
            "Authorization": f"Bearer {secret}",
            "Range": "bytes=0-9",
        },
    )

    request_id = answer.header("X-Request-Id") or "-"
    wait_until(lambda: request_id in front.log(), what="the line")
    [line] = [line for line in front.log().splitlines() if request_id in line]
    assert json.loads(line)["request_id"] == request_id
    assert json.loads(line)["request"]["uri"] == MEDIA
    assert secret not in front.log()
