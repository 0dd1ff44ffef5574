"""Health, readiness and metrics: told inside, and to nobody outside."""

import json
from pathlib import Path

import pytest

from common.settings import CommonSettings
from tests.conftest import Site

SERVICES = ["auth", "upload", "streaming"]
INSIDE = ["/healthz", "/readyz", "/metrics", "/internal/authorise"]


@pytest.fixture
def site(common_settings: CommonSettings, tmp_path: Path) -> Site:
    """A site of the test's own, whose stores can be taken away."""
    return Site(common_settings, tmp_path / "videos")


def take_redis_away(site: Site, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead the service's Redis client to a port where nothing answers."""
    pool = site.apps[service].extensions["matinee"].stores.redis.connection_pool
    pool.disconnect()
    pool.reset()
    monkeypatch.setitem(pool.connection_kwargs, "port", 9)


@pytest.mark.on_mysql
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_with_its_stores_is_ready(site: Site, service: str) -> None:
    answer = site.apps[service].test_client().get("/readyz")
    assert answer.status_code == 200, answer.text
    assert set(json.loads(answer.text).values()) == {"ok"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_without_its_stores_is_healthy_and_not_ready(
    common_settings: CommonSettings, site: Site, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_redis_away(site, service, monkeypatch)
    client = site.apps[service].test_client()
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert json.loads(answer.text)["redis"].startswith("away")
    assert json.loads(answer.text)["database"] == "ok"


@pytest.mark.parametrize("path", INSIDE)
def test_the_inside_is_not_reached_from_outside(site: Site, path: str) -> None:
    assert site.browser().get(path).status_code == 404


@pytest.mark.parametrize("service", SERVICES)
def test_requests_are_counted(site: Site, service: str) -> None:
    client = site.apps[service].test_client()
    client.get("/healthz")
    assert "matinee_requests_total" in client.get("/metrics").text


def test_every_answer_carries_an_id_of_its_own(site: Site) -> None:
    forged = {"X-Request-Id": "f" * 32}
    ids = {site.browser().get("/login", headers=forged).headers["X-Request-Id"] for _ in range(3)}
    assert len(ids) == 3
    assert "f" * 32 not in ids


def test_without_the_session_store_the_answer_is_no(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = site.sign_up("alice")
    for service in SERVICES:
        take_redis_away(site, service, monkeypatch)
    for path in ("/stream", "/account", "/upload", "/api/videos"):
        answer = browser.get(path)
        assert answer.status_code == 503, path
        assert answer.headers["Retry-After"]
