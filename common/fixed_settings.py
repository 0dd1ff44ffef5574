"""Settings of the site that the environment decides; see `common.site_settings`.

This module knows no database, so that every program can read its settings.
"""

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING

from common.translation import LANGUAGES

if TYPE_CHECKING:
    from common.settings import Environment

BIN_DAYS = 30
"""Days for which deleted videos stay in their owners' bins, unless the setting says otherwise."""
MAX_BIN_DAYS = 3650
MIN_MOVE_RATE = 100_000
"""Bytes per second. A piece takes three minutes then; one that takes an hour counts as given up."""
NAME_LIMIT = 40
"""Characters of the site's name."""
DEFAULT_NAME = "Matinee"
VISIBILITIES = ("private", "members", "public")


class Registration(enum.StrEnum):
    """Who may make an account without an administrator. Invitations work with each of them."""

    OPEN = "open"
    INVITATION = "invitation"
    CLOSED = "closed"


ENVIRONMENT: Mapping[str, str] = {
    "name": "SITE_NAME",
    "registration": "REGISTRATION",
    "visibility": "DEFAULT_VISIBILITY",
    "quota": "QUOTA",
    "language": "DEFAULT_LANGUAGE",
    "bin_days": "BIN_DAYS",
    "move_paused": "MOVE_PAUSED",
    "move_rate": "MOVE_RATE",
    "link_max_age": "LINK_MAX_AGE",
    "link_require_password": "LINK_REQUIRE_PASSWORD",
    "link_require_expiry": "LINK_REQUIRE_EXPIRY",
}
"""The names in the environment of the settings that it can decide."""


def read_fixed(environment: "Environment") -> dict[str, object]:
    """Return the settings that the environment decides, by their key.

    :raises SettingsError: one of them is wrong.
    """

    def flag(name: str) -> bool | None:
        word = environment.choice(name, ("", "true", "false"), "")
        return None if word == "" else word == "true"

    found: dict[str, object] = {
        "name": " ".join(environment.text("SITE_NAME", "").split())[:NAME_LIMIT],
        "registration": environment.choice("REGISTRATION", ("", *Registration), ""),
        "visibility": environment.choice("DEFAULT_VISIBILITY", ("", *VISIBILITIES), ""),
        "language": environment.choice("DEFAULT_LANGUAGE", ("", *LANGUAGES), ""),
        "move_paused": flag("MOVE_PAUSED"),
        "link_require_password": flag("LINK_REQUIRE_PASSWORD"),
        "link_require_expiry": flag("LINK_REQUIRE_EXPIRY"),
    }
    if environment.text("QUOTA", ""):
        found["quota"] = environment.size("QUOTA", "")
    if environment.text("BIN_DAYS", ""):
        found["bin_days"] = environment.number(
            "BIN_DAYS", BIN_DAYS, min_value=1, max_value=MAX_BIN_DAYS
        )
    if environment.text("MOVE_RATE", ""):
        found["move_rate"] = environment.size("MOVE_RATE", "", min_value=MIN_MOVE_RATE)
    if environment.text("LINK_MAX_AGE", ""):
        found["link_max_age"] = environment.duration("LINK_MAX_AGE", "")
    return {key: value for key, value in found.items() if value not in (None, "")}
