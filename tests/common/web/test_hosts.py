"""Under which names a site answers."""

from dataclasses import replace
from pathlib import Path

import pytest

from common.settings import CommonSettings, Environment, SettingsError
from common.web.hosts import InvalidHost, UnknownHost, check_host
from tests.conftest import Site

ALLOWED = ("video.example.org", ".example.net")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:5000",
        "LOCALHOST",
        "matinee.localhost:5001",
        "127.0.0.1",
        "192.0.2.7:5000",
        "[::1]",
        "[2001:db8::1]:5000",
        "video.example.org",
        "Video.Example.ORG:443",
        "example.net",
        "films.example.net",
    ],
)
def test_a_name_of_the_site_is_answered(host: str) -> None:
    check_host(host, ALLOWED)


@pytest.mark.parametrize(
    "host",
    [
        "evil.test:5400",
        "example.org",
        "other.video.example.org",
        "evilexample.net",
        "localhost.evil.test",
        "127.0.0.1.evil.test",
        "1.2.3.4.5",
        "0x7f000001",
    ],
)
def test_another_name_is_refused(host: str) -> None:
    with pytest.raises(UnknownHost):
        check_host(host, ALLOWED)


@pytest.mark.parametrize(
    "host",
    [None, "", "a,b", "user@localhost", "localhost/path", "localhost:", "localhost:99999", "[::1",
     "local host", "localhost,localhost"],
)  # fmt: skip
def test_a_missing_or_malformed_one_is_refused(host: str | None) -> None:
    with pytest.raises(InvalidHost):
        check_host(host, ALLOWED)


def test_every_service_refuses_a_name_it_is_not_known_under(site: Site) -> None:
    for path in ("/login", "/stream", "/upload", "/api/session", "/nothing"):
        answer = site.browser().get(path, headers={"Host": "evil.test"})
        assert answer.status_code == 421
        assert "ALLOWED_HOSTS" in answer.text
        assert site.browser().get(path, headers={"Host": "a,b"}).status_code == 400


def test_nothing_is_changed_under_another_name(site: Site) -> None:
    form = {"username": "alice", "password": "correct horse battery"}
    answer = site.browser().post("/register", data=form, headers={"Host": "evil.test"})
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (421, False)


def test_a_name_that_is_allowed_is_answered(
    common_settings: CommonSettings, tmp_path: Path
) -> None:
    settings = replace(common_settings, allowed_hosts=("video.example.org",))
    browser = Site(settings, tmp_path / "videos").browser()
    assert browser.get("/password", headers={"Host": "video.example.org"}).status_code == 200
    assert browser.get("/password", headers={"Host": "localhost"}).status_code == 200


def test_health_checks_and_the_gateway_may_use_any_name(site: Site) -> None:
    client = site.apps["streaming"].test_client()
    headers = {"Host": "streaming:8000"}
    assert client.get("/healthz", headers=headers).status_code == 200
    assert client.get("/internal/authorise", headers=headers).status_code not in (400, 421)


def test_the_setting_takes_names_with_commas() -> None:
    environment = Environment({"ALLOWED_HOSTS": "Video.example.org, *.example.net,"})
    assert environment.host_names("ALLOWED_HOSTS") == ALLOWED
    assert Environment({}).host_names("ALLOWED_HOSTS") == ()


@pytest.mark.parametrize(
    "value", ["*", "video.example.org:443", "https://video.example.org", "a b", "ü.example"]
)
def test_the_setting_takes_nothing_else(value: str) -> None:
    with pytest.raises(SettingsError, match="ALLOWED_HOSTS"):
        Environment({"ALLOWED_HOSTS": value}).host_names("ALLOWED_HOSTS")
