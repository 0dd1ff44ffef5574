"""What the settings ask of links."""

from datetime import timedelta

import pytest

from common.settings import Environment, SettingsError
from streaming_service.services import StreamingServices
from streaming_service.settings import StreamingSettings
from streaming_service.sharing.link_rules import LinkRules
from tests.conftest import Site

REQUIRED = {"DATABASE_URL": "sqlite://", "REDIS_URL": "redis://localhost", "VIDEOS_DIR": "/videos"}


def fixed(**values: str) -> dict[str, object]:
    return dict(StreamingSettings.read(Environment(REQUIRED | values)).common.fixed)


def test_nothing_is_asked_by_default(site: Site) -> None:
    assert fixed() == fixed(LINK_MAX_AGE="") == {}
    services: StreamingServices = site.apps["streaming"].extensions["matinee"]
    assert services.link_rules == LinkRules()


def test_each_setting_is_read(site: Site) -> None:
    services: StreamingServices = site.apps["streaming"].extensions["matinee"]
    services.stores.site.fixed.update(
        fixed(LINK_MAX_AGE="90d", LINK_REQUIRE_PASSWORD="true", LINK_REQUIRE_EXPIRY="true")
    )
    expected = LinkRules(timedelta(days=90), require_password=True, require_expiry=True)
    assert services.link_rules == expected


@pytest.mark.parametrize(
    ("name", "value"), [("LINK_MAX_AGE", "90"), ("LINK_REQUIRE_PASSWORD", "yes")]
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        fixed(**{name: value})
