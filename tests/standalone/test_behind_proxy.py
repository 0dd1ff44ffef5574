"""Standalone behind a reverse proxy of the operator's own."""

from collections.abc import Iterator

import pytest

from tests.standalone.harness import Front

VISITOR = "203.0.113.7"
COOKIES = "matinee_session=plain; __Host-matinee_session=secure"


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Caddy, which believes what comes from 127.0.0.1."""
    running = Front(
        tmp_path_factory.mktemp("behind"),
        TRUSTED_PROXIES="10.0.0.0/8 127.0.0.1",
        ALLOWED_HOSTS="video.example.org, nas, *.example.com",
    )
    yield running
    running.close()


def test_a_trusted_proxy_tells_the_address_and_the_scheme(behind: Front) -> None:
    behind.ask("/login", {"X-Forwarded-For": VISITOR, "X-Forwarded-Proto": "https"})

    told = behind.auth.seen[-1].headers
    assert told.get_all("X-Forwarded-For") == [VISITOR]
    assert told.get_all("X-Forwarded-Proto") == ["https"]


def test_what_the_visitor_has_forged_before_the_proxy_changes_nothing(behind: Front) -> None:
    behind.ask("/login", {"X-Forwarded-For": f"198.51.100.1, {VISITOR}, 10.0.0.5"})

    assert behind.auth.seen[-1].headers.get_all("X-Forwarded-For") == [VISITOR]


@pytest.mark.parametrize(("scheme", "token"), [("https", "secure"), ("http", "plain")])
def test_the_cookie_goes_with_the_scheme(behind: Front, scheme: str, token: str) -> None:
    behind.ask(headers={"Cookie": COOKIES, "X-Forwarded-Proto": scheme})

    assert behind.streaming.seen[-1].headers["X-Session-Token"] == token


@pytest.mark.parametrize(
    "host", ["video.example.org", "NAS:5000", "example.com", "a.b.example.com", "localhost"]
)
def test_allowed_names_are_answered(behind: Front, host: str) -> None:
    assert behind.ask("/login", {"Host": host}).status == 200


@pytest.mark.parametrize("host", ["videoxexample.org", "a.video.example.org", "badexample.com"])
def test_other_names_are_not(behind: Front, host: str) -> None:
    assert behind.ask("/login", {"Host": host}).status == 421


def test_a_secure_cookie_can_be_asked_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    running = Front(tmp_path_factory.mktemp("secure"), COOKIE_SECURE="true")
    try:
        running.ask(headers={"Cookie": COOKIES})

        assert running.streaming.seen[-1].headers["X-Session-Token"] == "secure"
    finally:
        running.close()
