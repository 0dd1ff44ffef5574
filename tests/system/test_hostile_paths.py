"""Addresses that try to lead somewhere else."""

import socket
from urllib.parse import urlsplit

import pytest

from tests.system.deployment import Origin
from tests.system.http_client import Person

SOMEWHERE = "A" * 22


def raw(origin: Origin, target: bytes, *, method: bytes = b"GET", cookie: str = "") -> int:
    """Send a request target as it stands, which a library would tidy, and return the status."""
    where = urlsplit(origin.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        head = b"%b %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: %b\r\n\r\n"
        connection.sendall(head % (method, target, cookie.encode()))
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return int(answer.split(b" ", 2)[1]) if answer else 400


@pytest.mark.parametrize(
    "path",
    [
        "/internal/authorise",
        "/internal/../internal/authorise",
        "/healthz",
        "/readyz",
        "/metrics",
        "/_authorise",
        "/videos/incoming/",
        "/incoming/",
        "/static/",
        "/static/../standalone/Caddyfile.template",
        "/static/%2e%2e/standalone/Caddyfile.template",
        "/static/..%2f..%2fstandalone/Caddyfile.template",
        "/static/manifest.json/../../pyproject.toml",
        "/.env",
        "/.git/config",
        f"/stream/{SOMEWHERE}/../incoming/{SOMEWHERE}",
        f"/stream/{SOMEWHERE}/original.mp4",
        f"/stream/{SOMEWHERE}/%2e%2e/video.mp4",
        f"/stream/{SOMEWHERE}/%252e%252e/video.mp4",
        f"/stream/{SOMEWHERE}/..;/video.mp4",
        f"/stream/{SOMEWHERE}/..\\..\\video.mp4",
        f"/stream/{SOMEWHERE}/..%5c..%5cvideo.mp4",
        f"/stream/{SOMEWHERE}%00/video.mp4",
        f"/stream/{SOMEWHERE}/video.mp4%00",
        f"/stream/{SOMEWHERE}/video.mp4/..",
        f"/stream/{SOMEWHERE}..",
        "/stream/../../../../etc/passwd/video.mp4",
        "/stream/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/media..",
        "/media../etc/passwd",
        "//etc/passwd",
    ],
)
def test_hostile_paths_find_nothing(origin: Origin, alice: Person, path: str) -> None:
    cookie = "; ".join(f"{one.name}={one.value}" for one in alice.cookies)
    for whose in ("", cookie):
        assert raw(origin, path.encode(), cookie=whose) in (301, 303, 400, 401, 404)
    assert raw(origin, path.encode(), cookie=cookie) in (400, 404)


@pytest.mark.parametrize(
    "cookie",
    [
        "matinee_session=",
        "matinee_session=short",
        f"matinee_session={'x' * 6000}",
        "matinee_session=a%00b",
        'matinee_session="quoted; broken',
        "matinee_session=\xff\xfe",
        "matinee_session=a; matinee_session=b",
    ],
)
def test_a_broken_cookie_is_signed_out(origin: Origin, cookie: str) -> None:
    assert raw(origin, f"/stream/{SOMEWHERE}/video.mp4".encode(), cookie=cookie) in (400, 401)
    assert raw(origin, b"/stream", cookie=cookie) in (303, 400)


def test_a_cookie_of_ten_kilobytes_is_never_our_fault(origin: Origin) -> None:
    assert raw(origin, b"/stream", cookie=f"matinee_session={'x' * 10_000}") in (303, 400, 431)


@pytest.mark.parametrize("path", ["/logout", "/account/delete", f"/stream/{SOMEWHERE}/delete"])
def test_nothing_is_changed_by_a_link(alice: Person, path: str) -> None:
    assert alice.get(path).status_code == 405
