"""Clients that send slowly, too much or nothing, while others go on."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from time import sleep

import pytest

from standalone import caddyfile
from tests.fake_service import Reply, Seen
from tests.standalone.harness import MEDIA, VIDEO, Front, raise_file_limit
from tests.waiting import wait_until

FORM = (
    b"POST /login HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
)
HALF_BODY = FORM + b"Content-Length: 1000\r\n\r\nusername="
KIB = 1 << 10


@pytest.fixture
def held() -> Iterator[ExitStack]:
    """Connections that are held open until the end of the test."""
    raise_file_limit(4096)
    with ExitStack() as stack:
        yield stack


def hold(front: Front, stack: ExitStack, count: int, data: bytes) -> list[socket.socket]:
    """Open connections, send the same on each, and keep them."""
    clients = [stack.enter_context(front.connect()) for _ in range(count)]
    for client in clients:
        client.sendall(data)
    return clients


def status_of(client: socket.socket) -> bytes:
    """Return the status of the answer on a connection."""
    return client.recv(12, socket.MSG_WAITALL)[9:]


@pytest.mark.parametrize(
    ("count", "sent"),
    [
        pytest.param(200, HALF_BODY, id="half bodies"),
        pytest.param(200, FORM + b"Transfer-Encoding: chunked\r\n\r\n5\r\nuser", id="half chunks"),
        pytest.param(500, b"GET /login HTTP/1.1\r\nHost: local", id="half heads"),
        pytest.param(500, f"GET {MEDIA} HTTP/1.1\r\nHost: ".encode(), id="half heads of media"),
        pytest.param(2000, b"", id="silent connections"),
    ],
)
def test_pages_are_answered_beside_clients_that_hold_back(
    front: Front, held: ExitStack, count: int, sent: bytes
) -> None:
    hold(front, held, count, sent)

    for _ in range(20):
        assert front.ask("/login", timeout=2).status == 200
        assert front.ask(timeout=2).status == 200

    # None of the others has reached a service, where it would hold a thread.
    assert {seen.method for seen in front.auth.seen} == {"GET"}
    assert len(front.auth.seen) == 20


def test_a_form_arrives_whole(front: Front, held: ExitStack) -> None:
    [client] = hold(front, held, 1, HALF_BODY)
    client.sendall(b"x" * 991)

    assert status_of(client) == b"200"
    assert front.auth.seen[-1].body == b"username=" + b"x" * 991


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 70000\r\n\r\n" + b"x" * 70000,
        b"Transfer-Encoding: chunked\r\n\r\n11170\r\n" + b"x" * 70000 + b"\r\n0\r\n\r\n",
    ],
    ids=["length", "chunked"],
)
def test_a_form_of_more_than_64_kib_is_refused(
    front: Front, held: ExitStack, framing: bytes
) -> None:
    [client] = hold(front, held, 1, FORM + b"Connection: close\r\n" + framing)

    assert status_of(client) == b"413"
    assert all(len(seen.body) <= 64 * KIB for seen in front.auth.seen)


def test_the_largest_form_is_taken(front: Front) -> None:
    assert front.ask("/login", method="POST", body=b"x" * 64 * KIB).status == 200
    assert len(front.auth.seen[-1].body) == 64 * KIB


@pytest.mark.parametrize("name", ["captions", "poster"])
def test_captions_and_posters_may_be_larger(front: Front, name: str) -> None:
    path = f"/stream/{VIDEO}/{name}"

    assert front.ask(path, method="POST", body=b"x" * 5200 * KIB).status == 200
    assert front.ask(path, method="POST", body=b"x" * 6200 * KIB).status == 413


def test_a_logo_may_be_larger(front: Front) -> None:
    path = "/admin/settings/logo"

    assert front.ask(path, method="POST", body=b"x" * 510 * KIB).status == 200
    assert len(front.auth.seen[-1].body) == 510 * KIB
    assert front.ask(path, method="POST", body=b"x" * 600 * KIB).status == 413


def test_an_upload_reaches_its_service_as_it_comes(front: Front, held: ExitStack) -> None:
    head = b"PATCH /upload/files/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n"
    [client] = hold(front, held, 1, head + b"x")

    assert front.upload.began.wait(10)
    assert not front.upload.seen
    client.sendall(b"x" * 299_999)

    assert status_of(client) == b"200"
    assert len(front.upload.seen[-1].body) == 300_000


def test_an_upload_whose_client_leaves_is_told_to_its_service(
    front: Front, held: ExitStack
) -> None:
    head = b"PATCH /upload/files/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n"
    [client] = hold(front, held, 1, head + b"x" * 1000)
    assert front.upload.began.wait(10)

    client.close()

    # The stand-in reads up to the length, or to the end of the connection.
    wait_until(lambda: front.upload.seen, what="the end of the body")
    assert front.upload.seen[-1].body == b"x" * 1000


def test_a_head_of_more_than_20_kib_is_refused(front: Front) -> None:
    answer = front.ask("/login", {"X-Long": "x" * 40 * KIB})

    assert answer.status == 431
    assert not front.auth.seen


def test_caddy_has_no_complaint_about_its_configuration(front: Front) -> None:
    assert "not formatted" not in front.log()


def test_how_long_a_client_may_be_silent(front: Front) -> None:
    command = [caddyfile.caddy(), "adapt", "--config", str(front.folder / "Caddyfile")]
    adapted = subprocess.run(command, check=True, capture_output=True, text=True)
    servers = json.loads(adapted.stdout)["apps"]["http"]["servers"].values()

    seconds = 10**9
    assert {server["read_header_timeout"] for server in servers} == {15 * seconds}
    assert {server["idle_timeout"] for server in servers} == {75 * seconds}
    # As the gateway's: who pauses a video, or reads a kilobyte a second, is not disconnected.
    assert {server["write_idle_timeout"] for server in servers} == {300 * seconds}


@pytest.fixture(scope="module")
def brisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A front server that waits a second, not a minute, for the next byte of a body."""

    def shorten(text: str) -> str:
        assert text.count("read_timeout 60s") == 2
        return text.replace("read_timeout 60s", "read_timeout 1s")

    running = Front(tmp_path_factory.mktemp("brisk"), edit=shorten)
    yield running
    running.close()


@pytest.mark.parametrize("framing", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("path", ["/upload/files", "/login", "/nothing", MEDIA])
def test_after_a_body_that_stalls_the_connection_is_closed(
    brisk: Front, held: ExitStack, path: str, framing: str
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n"
    (client,) = hold(brisk, held, 1, head.encode() + b"5\r\nstart")
    answer = client.recv(65536)

    # What follows is the rest of the body, and no request.
    with suppress(OSError):
        client.sendall(b"GET /login HTTP/1.1\r\nHost: localhost\r\nX-Smuggled: yes\r\n\r\n")
        while part := client.recv(65536):
            answer += part

    assert answer.count(b"HTTP/1.1 ") <= 1
    seen = [request for service in brisk.services.values() for request in service.seen]
    assert not any(request.headers["X-Smuggled"] for request in seen)


def test_a_body_may_be_slow_and_its_answer_late(brisk: Front, held: ExitStack) -> None:
    def answer_late(_seen: Seen) -> Reply:
        sleep(2)
        return Reply()

    brisk.upload.reply = answer_late
    (client,) = hold(
        brisk,
        held,
        1,
        b"PATCH /upload/files/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n",
    )

    for byte in b"slow.":
        sleep(0.5)
        client.sendall(bytes([byte]))

    assert status_of(client) == b"200"


@pytest.mark.parametrize("path", ["/login", "/upload/files"])
def test_wrong_chunks_are_refused_for_good(front: Front, held: ExitStack, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    (client,) = hold(front, held, 1, head.encode() + b"zz\r\nabc\r\n0\r\n\r\n")

    assert status_of(client) == b"400"
