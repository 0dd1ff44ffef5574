"""Which service gets what, what it is told, and what never gets past the gateway."""

import base64
import hashlib
import json
import re
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from threading import Event

import pytest

from tests.fake_service import Reply
from tests.waiting import wait_until

from .harness import ALICE, COOKIE, MEDIA, VIDEO, VISIT, Gateway, allow_only, running

pytestmark = pytest.mark.needs_nginx


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that answers under two names, and knows one video of Alice's."""
    hosts = "Video.example.org, *.example.net,example.net,localhost"
    with running(tmp_path_factory.mktemp("named"), ALLOWED_HOSTS=hosts) as gateway:
        gateway.put_video(VIDEO)
        gateway.streaming.reply = allow_only(ALICE)
        yield gateway


ROUTES = {
    "auth": [
        "/",
        "/?x=1",
        "/login",
        "/login?next=/stream",
        "/register",
        "/logout",
        "/language",
        "/account",
        "/account/password",
        "/account/sessions/abc/end",
        "/admin",
        "/admin/users/1",
        "/admin/settings/logo",
        "/invite/a-token_of-an-invitation",
        "/password",
        "/password/a-token_of-a-link",
        "/logo/0123.png",
        "/api/session",
        "/offline",
        "/webapp?language=de",
        "/design",
        "/api/accounts/1",
        "/api/invitations",
        "/api/passwords",
        "/api/settings",
    ],
    "upload": ["/upload", "/upload/", "/upload/files/x", "/api/uploads", "/api/uploads/x"],
    "streaming": [
        "/stream",
        "/stream/",
        "/stream?q=a%2Fb",
        f"/stream/{VIDEO}",
        f"/stream/{VIDEO}/edit",
        f"/stream/{VIDEO}/captions",
        f"/stream/{VIDEO}/captions/en.vtt",
        f"/stream/{VIDEO}/original.mp4",
        f"/stream/{VIDEO}/video.mp4x",
        f"/stream/{VIDEO}x/video.mp4",
        "/api/videos",
        f"/api/videos/{VIDEO}",
        f"/api/videos/{VIDEO}/progress",
        "/api/videos/progress?ids=x",
        "/stream/failed",
        "/stream/failed/7/again",
        "/api/videos/failed?after=x",
        "/stream/shared",
        "/s/a-token_of-a-link",
        "/collections/x",
        "/account/links",
        "/account/links/x/revoke",
        f"/embed/{VIDEO}",
        "/oembed?url=x",
        "/api/grants/x",
        "/api/links",
        "/api/collections/x/items/y",
        "/api/bin",
        "/api/audit?video=x",
        "/api/users?q=a",
    ],
}


MEMBERS = f"/api/groups/{VIDEO}/members"

NOT_OURS = [
    f"{MEMBERS}/a%2fb",
    f"{MEMBERS}/%2e%2e",
    f"{MEMBERS}/..",
    f"{MEMBERS}/a%00",
    f"{MEMBERS}/a%5cb",
    f"{MEMBERS}/%252e",
    f"{MEMBERS}/a/%C3%AB",
    "/api/groups/x/members/Zo%C3%AB",
    # inside only
    "/internal/authorise",
    "/internal",
    "/-/authorise",
    "/healthz",
    "/readyz",
    "/metrics",
    "/stream/../internal/authorise",
    "/stream/%2e%2e/internal/authorise",
    "/stream/%252e%252e/internal/authorise",
    "/stream/..;/internal/authorise",
    "/stream/..%2finternal/authorise",
    "/stream/..%5cinternal",
    "/stream\\..\\internal",
    "//internal/authorise",
    "/stream//internal/authorise",
    "/internal/../stream",
    "/./stream",
    "/stream/./x",
    # files
    f"/stream/{VIDEO}/../../incoming/x",
    f"/stream/{VIDEO}/video.mp4/../original.mp4",
    f"/stream/{VIDEO}/%2e%2e/video.mp4",
    f"/stream/{VIDEO}%2fvideo.mp4",
    f"/stream/{VIDEO}/video%2emp4",
    f"/stream/{VIDEO}/video.mp4%00",
    f"/stream/{VIDEO}/video.mp4%0a",
    f"/stream//{VIDEO}/video.mp4",
    f"/stream/{VIDEO}/video.mp4;x",
    "/videos",
    f"/videos/{VIDEO}/original.mp4",
    "/incoming/x",
    "/media..",
    "/media../etc/passwd",
    "/static",
    "/static/",
    "/static..",
    "/static../nginx.conf",
    "/static/../etc/nginx.conf",
    "/static/%2e%2e/etc/nginx.conf",
    "/static/..;/etc/nginx.conf",
    "/static/manifest.json",
    "/static/.manifest.json",
    # dot files and the rest
    "/.git/config",
    "/.env",
    "/stream/.env",
    "/loginx",
    "/uploads",
    "/streams",
    "/api",
    "/api/",
    "/api/nothing",
    "/nothing",
    "/%6cogin",
    "/%",
    "/%00",
    "/%zz",
    "/\u00e9".encode().decode("latin-1"),
]


@pytest.mark.parametrize(
    ("service", "path"), [(service, path) for service in ROUTES for path in ROUTES[service]]
)
def test_each_path_goes_to_its_service(gateway: Gateway, service: str, path: str) -> None:
    gateway.streaming.reply = gateway.streaming.reply_with_name
    for method in ("GET", "POST"):
        answer = gateway.ask(path, method=method)

        assert (answer.status, answer.body) == (200, service.encode())
        assert gateway.services[service].seen[-1].path == path
        assert gateway.services[service].seen[-1].method == method


def test_a_member_of_a_group_may_have_any_name(gateway: Gateway) -> None:
    for path in (f"{MEMBERS}/Zo%C3%AB%20K%C3%BChn", f"{MEMBERS}/a.b", f"{MEMBERS}/%F0%9F%8E%AC"):
        assert gateway.ask(path, method="PUT").body == b"auth"
        assert gateway.services["auth"].seen[-1].path == path


@pytest.mark.parametrize("index", [0, 1, 2])
def test_every_port_serves_the_whole_site(gateway: Gateway, index: int) -> None:
    port = gateway.ports[index]

    assert gateway.ask("/login", port=port).body == b"auth"
    assert gateway.ask("/upload", port=port).body == b"upload"
    assert gateway.ask("/stream", port=port).body == b"streaming"
    assert gateway.ask(MEDIA, port=port, token=ALICE).status == 200


@pytest.mark.parametrize("path", NOT_OURS)
def test_a_path_that_is_not_ours(gateway: Gateway, path: str) -> None:
    for method in ("GET", "POST"):
        request = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {COOKIE}={ALICE}\r\n"
        framing = "Content-Length: 0\r\nConnection: close\r\n\r\n"
        answer = gateway.send(f"{request}{framing}".encode("latin-1"))

        assert re.match(rb"HTTP/1\.1 40[04] ", answer), answer[:80]
    assert all(not service.seen for service in gateway.services.values())


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /stream\x00/x HTTP/1.1",
        b"GET /stream/../../x HTTP/1.1",
        b"GET stream HTTP/1.1",
        b"GET ../etc/passwd HTTP/1.1",
        b"GET  HTTP/1.1",
        b"FOO",
        b"\x16\x03\x01\x02\x00",
    ],
)
def test_a_request_that_is_none(gateway: Gateway, request_line: bytes) -> None:
    answer = gateway.send(request_line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    assert re.match(rb"HTTP/1\.1 40[04] |<html>\r\n<head><title>400", answer), answer[:80]
    assert all(not service.seen for service in gateway.services.values())


def test_two_lengths_are_refused(gateway: Gateway) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    for framing in (
        b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ):
        answer = gateway.send(head + framing)
        assert re.match(rb"HTTP/1\.1 (400|501) ", answer), answer[:80]
    assert gateway.services["auth"].seen == []


# What a service is told --------------------------------------------------------------------------


def test_a_service_is_told_who_asks_by_us_alone(gateway: Gateway) -> None:
    forged = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil",
        "X-Forwarded-Prefix": "/evil",
        "X-Real-IP": "6.6.6.6",
        "X_Forwarded_For": "6.6.6.6",
        "Forwarded": "for=6.6.6.6",
        "X-Request-Id": "forged",
        "Proxy": "evil",
        "Host": "films.localhost:5001",
    }
    for path, name in (("/login", "auth"), ("/upload", "upload"), ("/stream", "streaming")):
        answer = gateway.ask(path, headers=forged)

        seen = gateway.services[name].seen[-1]
        assert seen.header("X-Forwarded-For") == "127.0.0.1"
        assert seen.header("X-Forwarded-Proto") == "http"
        assert seen.header("Host") == "films.localhost:5001"
        assert re.fullmatch("[0-9a-f]{32}", seen.header("X-Request-Id") or "")
        assert answer.header("X-Request-Id") == seen.header("X-Request-Id")
        for gone in ("X-Forwarded-Host", "X-Forwarded-Prefix", "X-Real-IP", "Forwarded", "Proxy"):
            assert seen.header(gone) is None
        assert "6.6.6.6" not in str(seen.headers)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:5000", 200),
        ("LOCALHOST", 200),
        ("films.localhost", 200),
        ("127.0.0.1:5001", 200),
        ("[::1]:5001", 200),
        ("[2001:DB8::1]", 200),
        ("video.example.org", 200),
        ("Video.Example.Org:443", 200),
        ("example.net", 200),
        ("a.b.example.net", 200),
        ("evil.test:5000", 421),
        ("example.org", 421),
        ("a.video.example.org", 421),
        ("evilexample.net", 421),
        ("127.0.0.1.evil.test", 421),
        ("1.2.3.4.5", 421),
        ("a,b", 400),
        ("_", 400),
        ("", 400),
    ],
)
def test_only_names_of_the_site_are_answered(named: Gateway, host: str, status: int) -> None:
    for path in ("/login", MEDIA):
        answer = named.ask(path, token=ALICE, headers={"Host": host})

        assert answer.status == status
    if status == 421:
        assert "ALLOWED_HOSTS" in answer.json()["error"]
        assert b"ALLOWED_HOSTS" in named.ask("/login", headers={"Host": host}).body


def test_a_request_without_a_host_is_refused(gateway: Gateway) -> None:
    assert gateway.send(b"GET /login HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert gateway.send(b"GET /login HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_credentials_and_origin_pass_as_they_are(gateway: Gateway) -> None:
    headers = {
        "Authorization": "Bearer x y",
        "Cookie": f"other=1; {COOKIE}={ALICE}",
        "Origin": "http://films.example",
        "Sec-Fetch-Site": "same-origin",
    }

    gateway.ask("/login", method="POST", headers=headers, body=b"a=b")

    seen = gateway.services["auth"].seen[-1]
    assert {name: seen.header(name) for name in headers} == headers
    assert seen.body == b"a=b"


def test_of_too_many_cookies_ours_go_alone(gateway: Gateway) -> None:
    gateway.ask(
        "/login",
        headers={"Cookie": f"big={'x' * 10_000}; {COOKIE}={ALICE}; matinee_visits={VISIT}"},
    )
    assert gateway.services["auth"].seen[-1].header("Cookie") == (
        f"{COOKIE}={ALICE}; matinee_visits={VISIT}"
    )

    gateway.ask("/login", headers={"Cookie": f"{COOKIE}={'x' * 10_000}"})
    assert gateway.services["auth"].seen[-1].header("Cookie") == f"{COOKIE}=; matinee_visits="


def test_headers_without_end_are_refused(gateway: Gateway) -> None:
    assert gateway.ask("/login", headers={"X": "x" * 20_000}).status == 400
    assert gateway.ask("/login", headers={f"X{n}": "x" * 15_000 for n in range(5)}).status == 400
    assert gateway.ask("/login?" + "x" * 20_000).status == 414


def test_no_header_of_an_answer_steers_the_gateway(gateway: Gateway) -> None:
    steering = {"X-Accel-Redirect": f"/stream/{VIDEO}/video.mp4", "X-Accel-Limit-Rate": "1"}
    gateway.services["auth"].reply = lambda _: Reply(200, steering, b"page")

    assert gateway.ask("/login").body == b"page"


def test_a_redirect_stays_relative(gateway: Gateway) -> None:
    gateway.services["auth"].reply = lambda _: Reply(303, {"Location": "/login?next=/stream"})

    answer = gateway.ask("/account")

    assert (answer.status, answer.header("Location")) == (303, "/login?next=/stream")


# Bodies ------------------------------------------------------------------------------------------


def test_a_body_that_is_too_large(gateway: Gateway) -> None:
    answer = gateway.ask("/login", method="POST", body=b"x" * (1 << 20) + b"x")

    assert answer.status == 413
    assert b"larger" in answer.body
    assert gateway.services["auth"].seen == []


def test_an_upload_has_no_limit_but_the_services(gateway: Gateway) -> None:
    answer = gateway.ask("/upload", method="POST", body=b"x" * (3 << 20))

    assert answer.status == 200
    assert len(gateway.services["upload"].seen[-1].body) == 3 << 20


def test_the_bytes_of_an_upload_are_passed_on_as_they_come(gateway: Gateway) -> None:
    """The service sees the head, and may refuse, long before the last byte."""
    upload = gateway.services["upload"]
    with socket.create_connection(("127.0.0.1", gateway.ports[0]), 10) as client:
        client.sendall(b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
        assert upload.began.wait(5)
        client.sendall(b"defghij")
        assert b" 200 " in client.recv(4096)
    assert upload.seen[-1].body == b"abcdefghij"


# Errors ------------------------------------------------------------------------------------------


def test_a_service_that_is_away(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("away")) as gateway:
        gateway.put_video(VIDEO)
        for service in gateway.services.values():
            service.close()
        for path in ("/login", "/upload", "/stream"):
            page = gateway.ask(path)
            script = gateway.ask(path, headers={"Accept": "application/json"})

            assert page.status == script.status == 503
            assert page.header("Retry-After")
            assert page.header("Cache-Control") == "no-store"
            assert page.header("Content-Type") == "text/html; charset=utf-8"
            assert b"Matinee is starting or busy. Try again in a moment." in page.body
            assert (page.header("X-Request-Id") or "-").encode() in page.body
            assert script.json() == {
                "error": "Matinee is starting or busy. Try again in a moment.",
                "request_id": script.header("X-Request-Id"),
            }
        assert "error" in gateway.ask("/api/videos").json()
        media = gateway.ask(MEDIA, token=ALICE)
        assert media.status == 503
        assert media.header("Retry-After")
        assert "error" in media.json()
        assert gateway.ask(MEDIA, token=ALICE, method="HEAD").body == b""
        assert gateway.ask("/nothing").status == 404


def test_errors_of_a_service_pass_as_they_are(gateway: Gateway) -> None:
    for status in (401, 403, 404, 422, 500, 503):
        own = Reply(status, {"Retry-After": "7", "Content-Type": "text/plain"}, b"its own words")
        gateway.services["auth"].reply = lambda _, own=own: own  # type: ignore[misc]

        answer = gateway.ask("/login")

        assert (answer.status, answer.body) == (status, b"its own words")
        assert answer.header("Retry-After") == "7"


def test_a_post_is_never_sent_twice(gateway: Gateway) -> None:
    for method in ("POST", "PATCH"):
        before = len(gateway.services["auth"].seen)

        def drop(_: object) -> Reply:
            raise ConnectionResetError

        gateway.services["auth"].reply = drop
        assert gateway.ask("/login", method=method, body=b"a=b").status == 503
        assert len(gateway.services["auth"].seen) == before + 1


def test_the_page_of_an_error_obeys_its_own_policy(gateway: Gateway) -> None:
    answer = gateway.ask("/nothing")

    style = re.search(rb"<style>(.*?)</style>", answer.body, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1]).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in (answer.header("Content-Security-Policy") or "")
    assert b"style=" not in answer.body
    assert b"<script" not in answer.body
    # The id of a request is for people only where the fault is ours.
    assert (answer.header("X-Request-Id") or "-").encode() not in answer.body


def test_nothing_tells_the_version(gateway: Gateway) -> None:
    for path in ("/nothing", "/login", "/%00"):
        answer = gateway.ask(path)
        assert answer.header("Server") == "nginx"
        assert b"nginx/" not in answer.body


# Health and log ----------------------------------------------------------------------------------


def test_its_own_health_is_on_a_port_of_its_own(gateway: Gateway) -> None:
    assert gateway.ask("/healthz", port=gateway.health_port).status == 200
    assert gateway.ask("/", port=gateway.health_port).status == 404
    assert gateway.ask("/healthz").status == 404


def test_the_log_is_json_and_keeps_queries_out(gateway: Gateway) -> None:
    agent = 'quotes " and \\ and'
    answer = gateway.ask("/stream?q=something-private", headers={"User-Agent": agent})
    for _ in range(100):
        gateway.ask(MEDIA, token=ALICE, headers={"Range": "bytes=0-9"})
    asked = answer.header("X-Request-Id") or "-"
    wait_until(lambda: asked in json.dumps(gateway.log()), what="the line, which may take a second")

    lines = gateway.log()
    line = next(line for line in lines if line["request_id"] == answer.header("X-Request-Id"))
    assert (line["method"], line["path"], line["status"]) == ("GET", "/stream", "200")
    assert line["address"] == "127.0.0.1"
    assert line["agent"] == agent
    assert "something-private" not in json.dumps(lines)
    assert ALICE not in json.dumps(lines)


# Limits, and a proxy in front --------------------------------------------------------------------


def test_a_trusted_proxy_may_say_who_asks(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("trusted")
    with running(folder, TRUSTED_PROXIES="127.0.0.1 10.0.0.0/8") as gateway:
        gateway.streaming.reply = allow_only()
        said = {"X-Forwarded-For": "6.6.6.6, 192.0.2.7, 10.1.1.1", "X-Forwarded-Proto": "https"}
        gateway.ask("/login", headers=said)
        seen = gateway.services["auth"].seen[-1]
        assert seen.header("X-Forwarded-For") == "192.0.2.7"
        assert seen.header("X-Forwarded-Proto") == "https"

        gateway.ask("/login", headers=said | {"X-Forwarded-Proto": "gopher"})
        assert gateway.services["auth"].seen[-1].header("X-Forwarded-Proto") == "http"


def test_events_are_handed_on_as_they_come(gateway: Gateway) -> None:
    held = Event()
    headers = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
    gateway.streaming.reply = lambda _: Reply(200, headers, b"data: 1\n\n.", held)
    connection = HTTPConnection("127.0.0.1", gateway.ports[0], timeout=5)
    try:
        connection.request("GET", f"/api/videos/{VIDEO}/progress")
        assert connection.getresponse().read(9) == b"data: 1\n\n"
    finally:
        held.set()
        connection.close()


def test_the_largest_captions_fit_through(gateway: Gateway) -> None:
    gateway.streaming.reply = gateway.streaming.reply_with_name
    body = b"x" * ((1 << 20) + 60_000)

    answer = gateway.ask(f"/stream/{VIDEO}/captions", method="POST", body=body)

    assert answer.status == 200
    assert gateway.streaming.seen[-1].body == body
