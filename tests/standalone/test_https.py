"""A site with a domain, with the certificates of Caddy's internal authority."""

import ssl
from collections.abc import Iterator, Mapping
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from standalone.__main__ import Standalone
from standalone.programs import has_certificate
from tests.fake_service import Answer
from tests.standalone.harness import MEDIA, Front
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """`DOMAIN=localhost`, for which Caddy signs by itself."""
    running = Front(tmp_path_factory.mktemp("https"), DOMAIN="localhost")
    wait_until(
        lambda: has_certificate("127.0.0.1", running.ports[1], domain="localhost"),
        what="the certificate",
    )
    yield running
    running.close()


def ask(site: Front, path: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Ask over HTTPS, and check the certificate."""
    authority = site.folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    context = ssl.create_default_context(cafile=authority)
    connection = HTTPSConnection("localhost", site.ports[1], timeout=10, context=context)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def test_pages_come_over_https(site: Front) -> None:
    answer = ask(site, "/login")

    assert answer.body == b"auth"
    assert answer.header("Strict-Transport-Security") == "max-age=31536000"
    # The services name their cookie by this.
    assert site.auth.seen[-1].headers["X-Forwarded-Proto"] == "https"


@pytest.mark.parametrize("host", ["localhost", "192.168.1.5", "evil.test"])
def test_plain_http_is_redirected(site: Front, host: str) -> None:
    answer = site.ask("/login?next=/stream", {"Host": host}, port=site.ports[0])

    assert answer.status == 308
    where = f"https://localhost:{site.ports[1]}/login?next=/stream"
    assert answer.header("Location") == where


def test_the_session_is_in_the_cookie_that_only_https_may_set(site: Front) -> None:
    cookies = "matinee_session=planted; __Host-matinee_session=hers"
    ask(site, MEDIA, {"Cookie": cookies})

    assert site.streaming.seen[-1].headers["X-Session-Token"] == "hers"


def test_another_host_on_the_same_connection_is_refused(site: Front) -> None:
    assert ask(site, "/login", {"Host": "evil.test"}).status == 421


def test_certificates_are_kept_in_the_data_folder(site: Front) -> None:
    assert list((site.folder / "caddy" / "certificates").rglob("*.crt"))


def tell_twice(front: Front) -> list[bool]:
    """Look twice whether it can be opened, as one that runs does each half second."""
    matinee = Standalone(front.settings, {})
    try:
        return [matinee._tell_when_ready() for _ in range(2)]
    finally:
        matinee.stop()


def test_a_site_with_its_certificate_is_ready(
    site: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tell_twice(site) == [True, True]
    assert f"Matinee is ready:\n  https://localhost:{site.ports[1]}\n" in capsys.readouterr().out


def test_a_site_without_its_certificate_is_not_ready(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "caddy").mkdir()
    (tmp_path / "caddy" / "certificates").touch()  # no folder, so that none can be kept
    front = Front(tmp_path, DOMAIN="localhost")
    try:
        assert tell_twice(front) == [False, False]
    finally:
        front.close()
    [said] = capsys.readouterr().out.splitlines()
    assert said.startswith("Waiting for a certificate for localhost.")
