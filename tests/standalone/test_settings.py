"""What standalone takes for settings."""

import pytest

from common.settings import Environment, SettingsError
from standalone.settings import StandaloneSettings


def read(**given: str) -> StandaloneSettings:
    """Read settings from an environment."""
    return StandaloneSettings.read(Environment(given))


def test_without_settings_it_is_for_this_machine_alone() -> None:
    settings = read()

    assert settings.address == "127.0.0.1"
    assert settings.urls == [f"http://127.0.0.1:{port}" for port in (5000, 5001, 5002)]
    assert settings.listens == (5000, 5001, 5002)
    assert settings.allowed_hosts == ()


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:5000"),
        ("::", "http://[::1]:5000"),
        ("::1", "http://[::1]:5000"),
        ("192.168.1.5", "http://192.168.1.5:5000"),
    ],
)
def test_the_address_that_people_are_told(address: str, url: str) -> None:
    assert read(LISTEN_ADDRESS=address).urls[0] == url


def test_a_domain_is_for_others() -> None:
    settings = read(DOMAIN="video.example.org")

    assert settings.address in ("::", "0.0.0.0")  # some machines have no IPv6
    assert settings.listens == (80, 443)
    assert settings.urls == ["https://video.example.org"]
    assert settings.allowed_hosts == ("video.example.org",)


@pytest.mark.parametrize(
    ("domain", "url"),
    [("localhost", "https://localhost:8443"), ("video.example.org", "https://video.example.org")],
)
def test_another_port_for_https(domain: str, url: str) -> None:
    assert read(DOMAIN=domain, HTTPS_PORT="8443").urls == [url]


def test_names_and_networks_are_lists() -> None:
    settings = read(ALLOWED_HOSTS="NAS, *.example.org", TRUSTED_PROXIES="10.0.0.1 192.168.0.0/16")

    assert settings.allowed_hosts == ("nas", "*.example.org")
    assert settings.trusted_proxies == ("10.0.0.1/32", "192.168.0.0/16")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTS", "5000,x"),
        ("PORTS", "0"),
        ("PORTS", "5000,5000"),
        ("LISTEN_ADDRESS", "localhost"),
        ("LISTEN_ADDRESS", "127.0.0.1 {"),
        ("DOMAIN", "https://video.example.org"),
        ("DOMAIN", "a b"),
        ("HTTPS_PORT", "70000"),
        ("HTTPS_PORT", "80"),
        ("ALLOWED_HOSTS", "nas:5000"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "*."),
        ("TRUSTED_PROXIES", "proxy"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("COOKIE_SECURE", "yes"),
        ("STORE", "s3"),
        ("UPLOAD_STORE", "s3"),
        ("STORE", "tape"),
    ],
)
def test_a_setting_that_is_wrong_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read(**{name: value})
