"""What the settings ask of links."""

from datetime import timedelta

import pytest

from common.settings import Environment, SettingsError
from streaming_service.settings import StreamingSettings
from streaming_service.sharing.link_rules import LinkRules

REQUIRED = {"DATABASE_URL": "sqlite://", "REDIS_URL": "redis://localhost", "VIDEOS_DIR": "/videos"}


def read(**values: str) -> LinkRules:
    return StreamingSettings.read(Environment(REQUIRED | values)).link_rules


def test_nothing_is_asked_by_default() -> None:
    assert read() == read(LINK_MAX_AGE="") == LinkRules()


def test_each_setting_is_read() -> None:
    rules = read(LINK_MAX_AGE="90d", LINK_REQUIRE_PASSWORD="true", LINK_REQUIRE_EXPIRY="true")
    assert rules == LinkRules(timedelta(days=90), require_password=True, require_expiry=True)


@pytest.mark.parametrize(
    ("name", "value"), [("LINK_MAX_AGE", "90"), ("LINK_REQUIRE_PASSWORD", "yes")]
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read(**{name: value})
