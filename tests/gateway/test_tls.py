"""HTTPS with a certificate of our own making: on every port, and for every kind of answer."""

import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import wait_until

from .harness import ALICE, BYTES, COOKIE, MEDIA, VIDEO, VISIT, Gateway, allow_only, running
from .test_settings import write_settings

pytestmark = pytest.mark.needs_nginx

SECURE_COOKIE = f"__Host-{COOKIE}"
NOT_THERE = f"/stream/{'B' * 22}/poster.jpg"
HSTS = "max-age=31536000"


def make_certificate(folder: Path) -> dict[str, str]:
    """Write a self-signed certificate, as docs/operations.md says, and return its settings."""
    folder.mkdir(exist_ok=True)
    chain, key = folder / "fullchain.pem", folder / "privkey.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(chain)]
    subprocess.run(command, check=True, capture_output=True)
    return {"CERTS_DIR": str(folder)}


def trusting(chain: str) -> ssl.SSLContext:
    """Return what a client checks the site with."""
    return ssl.create_default_context(cafile=chain)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with a certificate, that knows one video of Alice's."""
    folder = tmp_path_factory.mktemp("secure")
    settings = make_certificate(folder / "certs")
    with running(folder, **settings) as gateway:
        gateway.tls = trusting(f"{folder}/certs/fullchain.pem")
        gateway.put_video(VIDEO)
        gateway.streaming.reply = allow_only(ALICE)
        yield gateway


@pytest.mark.parametrize("port", range(3))
@pytest.mark.parametrize(
    ("path", "status"), [("/login", 200), (MEDIA, 200), ("/nowhere", 404), (NOT_THERE, 404)]
)
def test_every_port_and_every_answer_is_https(
    secure: Gateway, port: int, path: str, status: int
) -> None:
    headers = {"Cookie": f"{SECURE_COOKIE}={ALICE}"}

    answer = secure.ask(path, headers=headers, port=secure.ports[port])

    assert answer.status == status
    assert answer.header("Strict-Transport-Security") == HSTS
    assert answer.header("X-Request-Id")


def test_the_session_is_in_the_prefixed_cookie_alone(secure: Gateway) -> None:
    def ask(cookies: str) -> int:
        return secure.ask(MEDIA, headers={"Cookie": cookies}).status

    assert ask(f"{SECURE_COOKIE}={ALICE}") == 200
    assert ask(f"a=b; {SECURE_COOKIE}={ALICE}; c=d") == 200
    assert ask(f"{COOKIE}={ALICE}") == 401
    assert ask(f"x{SECURE_COOKIE}={ALICE}") == 401
    assert ask(f"a=b{SECURE_COOKIE}={ALICE}") == 401
    assert ask(f"{SECURE_COOKIE}=no; {SECURE_COOKIE}={ALICE}") == 401
    assert ask(f"{SECURE_COOKIE}={ALICE}/x") == 401


def test_media_leave_whole(secure: Gateway) -> None:
    headers = {"Cookie": f"{SECURE_COOKIE}={ALICE}"}

    assert secure.ask(MEDIA, headers=headers).body == BYTES
    part = secure.ask(MEDIA, headers=headers | {"Range": "bytes=-5"})
    assert (part.status, part.body) == (206, BYTES[-5:])


def test_services_learn_of_it_and_a_client_cannot_deny_it(secure: Gateway) -> None:
    secure.ask("/login", headers={"X-Forwarded-Proto": "http"})

    assert secure.services["auth"].seen[-1].header("X-Forwarded-Proto") == "https"


def test_our_cookies_go_alone_when_others_are_too_many(secure: Gateway) -> None:
    secure.ask(
        "/login",
        headers={
            "Cookie": f"big={'x' * 5000}; {SECURE_COOKIE}={ALICE}; __Host-matinee_visits={VISIT}"
        },
    )

    assert secure.services["auth"].seen[-1].header("Cookie") == (
        f"{SECURE_COOKIE}={ALICE}; __Host-matinee_visits={VISIT}"
    )


def test_who_asks_without_tls_is_led_to_it(secure: Gateway) -> None:
    port = secure.ports[1]
    answer = secure.send(f"GET /login?next=/x HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 308")
    assert f"Location: https://localhost:{port}/login?next=/x\r\n".encode() in answer


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_http_2_is_offered(secure: Gateway, version: ssl.TLSVersion) -> None:
    assert secure.tls is not None
    context = trusting(str(secure.folder / "certs/fullchain.pem"))
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", secure.ports[0]), 10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        assert connection.selected_alpn_protocol() == "h2"
        assert connection.version() == version.name.replace("_", ".")


def serial(gateway: Gateway) -> bytes:
    """Return the certificate that the gateway shows now."""
    return ssl.get_server_certificate(("127.0.0.1", gateway.ports[0])).encode()


def trusts(gateway: Gateway) -> bool:
    """Tell whether a client that knows the new certificate is answered, several times."""
    try:
        return all(gateway.ask("/login").status == 200 for _ in range(5))
    except ssl.SSLError:
        return False


def test_a_renewed_certificate_is_taken_up_without_a_restart(secure: Gateway) -> None:
    before = serial(secure)
    make_certificate(secure.folder / "certs")

    secure.reload()

    # Old workers may take a connection or two before they know.
    wait_until(lambda: serial(secure) != before, within=10, what="the new certificate")
    secure.tls = trusting(f"{secure.folder}/certs/fullchain.pem")
    wait_until(lambda: trusts(secure), within=10, what="the new certificate from every worker")


# Settings ----------------------------------------------------------------------------------------


def test_a_certificate_without_its_key_stops_the_gateway(tmp_path: Path) -> None:
    settings = make_certificate(tmp_path / "certs")
    (tmp_path / "certs/privkey.pem").unlink()

    result = write_settings(tmp_path, **settings)

    assert result.returncode == 1
    assert "privkey.pem cannot be read" in result.stderr


@pytest.mark.parametrize(
    ("settings", "forwarded", "cookie", "status"),
    [
        ({}, "https", COOKIE, 200),
        ({}, "https", SECURE_COOKIE, 401),
        ({"COOKIE_SECURE": "true"}, "", SECURE_COOKIE, 200),
        ({"COOKIE_SECURE": "true"}, "", COOKIE, 401),
        ({"TRUSTED_PROXIES": "127.0.0.1"}, "https", SECURE_COOKIE, 200),
        ({"TRUSTED_PROXIES": "127.0.0.1"}, "https", COOKIE, 401),
        ({"TRUSTED_PROXIES": "127.0.0.1"}, "http", COOKIE, 200),
        ({"TRUSTED_PROXIES": "10.0.0.1"}, "https", COOKIE, 200),
    ],
)
def test_behind_a_proxy_the_gateway_reads_the_cookie_that_the_services_set(
    tmp_path: Path, settings: dict[str, str], forwarded: str, cookie: str, status: int
) -> None:
    with running(tmp_path, **settings) as gateway:
        gateway.put_video(VIDEO)
        gateway.streaming.reply = allow_only(ALICE)
        headers = {"Cookie": f"{cookie}={ALICE}", "X-Forwarded-Proto": forwarded}

        assert gateway.ask(MEDIA, headers=headers).status == status
        assert gateway.ask("/login").header("Strict-Transport-Security") is None
