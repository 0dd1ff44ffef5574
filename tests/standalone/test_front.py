"""Which service gets what, what it is told, and what never gets past Caddy."""

import base64
import hashlib
import json
import re
from threading import Event

import pytest

from tests.fake_service import Reply, Seen
from tests.gateway.test_routes import MEMBERS, NOT_OURS, ROUTES
from tests.gateway.test_static import FIXED
from tests.standalone.harness import MEDIA, VIDEO, Front

NAME = "site-ABCD1234"


@pytest.mark.parametrize(
    ("service", "path"), [(service, path) for service in ROUTES for path in ROUTES[service]]
)
def test_each_path_goes_to_its_service(front: Front, service: str, path: str) -> None:
    for method in ("GET", "POST"):
        answer = front.ask(path, method=method)

        assert (answer.status, answer.body) == (200, service.encode())
        assert front.services[service].seen[-1].path == path
        assert front.services[service].seen[-1].method == method


@pytest.mark.parametrize("index", [0, 1, 2])
def test_every_port_serves_the_whole_site(front: Front, index: int) -> None:
    port = front.ports[index]

    for path, body in (("/login", b"auth"), ("/upload", b"upload"), ("/stream", b"streaming")):
        assert front.ask(path, port=port).body == body
    assert front.ask(MEDIA, port=port).status == 200


@pytest.mark.parametrize("path", [*NOT_OURS, "*", "http://localhost/internal/authorise"])
def test_a_path_that_is_not_ours(front: Front, path: str) -> None:
    for method in ("GET", "POST"):
        request = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
        with front.connect() as client:
            client.sendall(
                f"{request}Content-Length: 0\r\nConnection: close\r\n\r\n".encode("latin-1")
            )
            answer = b"".join(iter(lambda: client.recv(65536), b""))

        assert re.match(rb"HTTP/1\.1 40[04] ", answer), answer[:80]
    assert all(not service.seen for service in front.services.values())


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:5000", "m.localhost", "127.0.0.1", "192.168.1.5:80", "[::1]:5000"],
)
def test_a_host_that_is_ours_is_answered(front: Front, host: str) -> None:
    assert front.ask("/login", {"Host": host}).status == 200
    assert front.auth.seen[-1].headers["Host"] == host


@pytest.mark.parametrize(
    "host",
    ["evil.test", "localhost.evil.test", "evil.test:5000", "1.2.3.4.evil.test", "localhost@evil"],
)
@pytest.mark.parametrize("path", ["/login", "/upload", "/stream", MEDIA, "/static/x"])
def test_another_host_is_refused(front: Front, host: str, path: str) -> None:
    """Its page would be of the same origin as ours once its name leads here: DNS rebinding."""
    answer = front.ask(path, {"Host": host})

    assert answer.status in (400, 421)
    assert all(not service.seen for service in front.services.values())


@pytest.mark.parametrize("headers", [{}, {"X-Request-Id": "f" * 32}])
def test_a_request_id_is_ours_alone(front: Front, headers: dict[str, str]) -> None:
    front.auth.reply = lambda seen: Reply(headers={"X-Request-Id": seen.headers["X-Request-Id"]})

    answer = front.ask("/login", headers)

    told = front.auth.seen[-1].headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{32}", told)
    assert told != "f" * 32
    assert answer.header("X-Request-Id") == told


def test_what_a_client_says_about_itself_is_overwritten(front: Front) -> None:
    forged = {
        "X-Forwarded-For": "10.9.9.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.test",
        "X-Forwarded-Port": "1",
        "X-Forwarded-Prefix": "/x",
        "X-Real-IP": "10.9.9.9",
        "Forwarded": "for=10.9.9.9",
        "Proxy": "http://evil.test",
    }
    for path in ("/login", "/stream", "/upload"):
        front.ask(path, forged)
    for service in front.services.values():
        told = service.seen[-1].headers
        assert told.get_all("X-Forwarded-For") == ["127.0.0.1"]
        assert told.get_all("X-Forwarded-Proto") == ["http"]
        for name in list(forged)[2:]:
            assert told[name] is None, name


def test_a_member_of_a_group_may_have_any_name(front: Front) -> None:
    for path in (f"{MEMBERS}/Zo%C3%AB%20K%C3%BChn", f"{MEMBERS}/a.b"):
        front.ask(path, method="PUT")
        assert front.auth.seen[-1].path == path


def test_answers_lose_what_is_said_to_the_front_server_alone(front: Front) -> None:
    front.streaming.reply = lambda _: Reply(
        headers={"X-Media-Path": "x", "X-Media-Disposition": "y", "Server": "gunicorn"}
    )

    answer = front.ask("/stream")

    for name in ("X-Media-Path", "X-Media-Disposition", "Server", "Via"):
        assert answer.header(name) is None, name


def test_only_our_cookies_go_on_where_there_are_too_many(front: Front) -> None:
    many = f"a={'x' * 5000}; matinee_session=token; b=1; matinee_visits=one.two"
    front.ask("/login", {"Cookie": many})
    assert front.auth.seen[-1].headers["Cookie"] == (
        "matinee_session=token; matinee_visits=one.two"
    )

    front.ask("/login", {"Cookie": "matinee_session=token; b=1"})
    assert front.auth.seen[-1].headers["Cookie"] == "matinee_session=token; b=1"


def test_a_service_that_is_away_is_told_as_a_page_and_as_json(front: Front) -> None:
    def end(_seen: Seen) -> Reply:
        raise ConnectionAbortedError

    front.auth.reply = end

    page = front.ask("/login")
    data = front.ask("/api/session")

    for answer in (page, data):
        assert answer.status == 503
        assert answer.header("Retry-After") == "2"
        assert answer.header("Cache-Control") == "no-store"
        assert answer.header("X-Content-Type-Options") == "nosniff"
    request_id = page.header("X-Request-Id")
    assert f"Request {request_id}".encode() in page.body
    assert json.loads(data.body) == {
        "error": "Matinee is starting or busy. Try again in a moment.",
        "request_id": data.header("X-Request-Id"),
    }


def test_the_style_of_an_error_page_is_the_one_that_its_policy_names(front: Front) -> None:
    answer = front.ask("/nothing")

    [style] = re.findall(rb"<style>(.*?)</style>", answer.body, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    assert f"'sha256-{digest}'" in (answer.header("Content-Security-Policy") or "")
    assert b"There is nothing here." in answer.body
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert answer.header("Server") is None


@pytest.mark.parametrize(
    ("path", "accept", "is_json"),
    [
        ("/nothing", "text/html", False),
        ("/nothing", "application/json", True),
        ("/api/nothing", "text/html", True),
        (f"/stream/{VIDEO}/nothing/x.mp4", "*/*", True),
    ],
)
def test_errors_are_json_for_scripts_and_players(
    front: Front, path: str, accept: str, *, is_json: bool
) -> None:
    front.streaming.reply = lambda _: Reply(403)
    if path.endswith(".mp4"):
        path = f"/stream/{VIDEO}/video.mp4"

    answer = front.ask(path, {"Accept": accept})

    assert answer.status == 404
    if is_json:
        assert json.loads(answer.body) == {"error": "There is nothing here."}
    assert (answer.header("Content-Type") == "application/json") is is_json


def test_static_files_never_change_and_are_compressed(front: Front) -> None:
    content = b"body { color: red }\n" * 100
    (front.static / f"{NAME}.css").write_bytes(content)

    plain = front.ask(f"/static/{NAME}.css")
    small = front.ask(f"/static/{NAME}.css", {"Accept-Encoding": "gzip"})
    known = front.ask(f"/static/{NAME}.css", {"If-None-Match": plain.header("ETag") or ""})

    assert plain.body == content
    assert plain.header("Content-Type") == "text/css; charset=utf-8"
    assert small.header("Content-Encoding") == "gzip"
    assert len(small.body) < len(content) / 2
    assert known.status == 304
    for answer in (plain, small, known):
        assert answer.header("Cache-Control") == "public, max-age=31536000, immutable"
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert answer.header("Cross-Origin-Resource-Policy") == "same-origin"
        assert answer.header("ETag")


@pytest.mark.parametrize("name", ["manifest.json", "site.css", "", f"{NAME}.js", f"x/{NAME}.css"])
def test_no_other_file_is_served(front: Front, name: str) -> None:
    (front.static / "manifest.json").write_text("{}")
    (front.static / "site.css").write_text("x")

    answer = front.ask(f"/static/{name}")

    assert answer.status == 404
    assert answer.header("Cache-Control") == "no-store"


@pytest.mark.parametrize(("name", "kind"), FIXED)
def test_a_file_without_a_hash_is_asked_for_each_time(front: Front, name: str, kind: str) -> None:
    (front.static / name).write_bytes(b"content")

    answer = front.ask(f"/{name}")

    assert (answer.status, answer.body) == (200, b"content")
    assert answer.header("Content-Type") == kind
    assert answer.header("Cache-Control") == "no-cache"
    assert front.ask(f"/{name}", method="POST").status == 405
    assert front.ask(f"/static/{name}").status == 404


def test_static_files_are_only_read(front: Front) -> None:
    (front.static / f"{NAME}.css").write_bytes(b"x")

    answer = front.ask(f"/static/{NAME}.css", method="POST")

    assert (answer.status, answer.header("Allow")) == (405, "GET, HEAD")


def test_pages_are_compressed(front: Front) -> None:
    page = b"<p>text</p>" * 200
    front.auth.reply = lambda _: Reply(headers={"Content-Type": "text/html"}, body=page)

    answer = front.ask("/login", {"Accept-Encoding": "gzip"})

    assert answer.header("Content-Encoding") == "gzip"
    assert "Accept-Encoding" in (answer.header("Vary") or "")


@pytest.mark.parametrize("first", [b"", b"data: 1\n\n"], ids=["head", "first event"])
def test_events_arrive_as_they_are_sent(front: Front, first: bytes) -> None:
    held = Event()
    headers = {"Content-Type": "text/event-stream"}
    front.streaming.reply = lambda _: Reply(headers=headers, body=first, held=held)
    ask = b"GET /api/videos/progress HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
    try:
        with front.connect() as client:
            client.sendall(ask + b"Accept-Encoding: gzip\r\n\r\n")
            reader = client.makefile("rb")
            assert reader.readline() == b"HTTP/1.1 200 OK\r\n"
            while reader.readline() != b"\r\n":
                pass
            if first:
                assert reader.readline() == b"%x\r\n" % len(first)
                assert reader.read(len(first)) == first
    finally:
        held.set()
