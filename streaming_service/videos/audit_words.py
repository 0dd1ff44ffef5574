"""The details of an audit entry, in the reader's language."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from common.translation import gettext, gettext_noop
from streaming_service.sharing.fields import expiry_words

_NAMES: Mapping[str, str] = {
    "because": gettext_noop("because"),
    "before": gettext_noop("before"),
    "by": gettext_noop("by"),
    "collection": gettext_noop("collection"),
    "disabled": gettext_noop("disabled"),
    "downloadable": gettext_noop("downloadable"),
    "for_everyone": gettext_noop("for everyone"),
    "group": gettext_noop("group"),
    "has_password": gettext_noop("has password"),
    "kind": gettext_noop("kind"),
    "label": gettext_noop("label"),
    "level": gettext_noop("level"),
    "max_views": gettext_noop("max views"),
    "members": gettext_noop("people"),
    "name": gettext_noop("name"),
    "new_name": gettext_noop("new name"),
    "quota": gettext_noop("quota"),
    "role": gettext_noop("role"),
    "setting": gettext_noop("setting"),
    "title": gettext_noop("title"),
    "user": gettext_noop("user"),
    "uses": gettext_noop("uses"),
    "value": gettext_noop("value"),
    "visibility": gettext_noop("visibility"),
}
# Values that are words of ours. What people wrote, such as the name of a user, stays as it is.
_VALUES: Mapping[str, str] = {
    "admin": gettext_noop("admin"),
    "bin expired": gettext_noop("bin expired"),
    "download": gettext_noop("download"),
    "edit": gettext_noop("edit"),
    "manager": gettext_noop("manager"),
    "member": gettext_noop("member"),
    "members": gettext_noop("members"),
    "password link": gettext_noop("password link"),
    "private": gettext_noop("private"),
    "public": gettext_noop("public"),
    "share": gettext_noop("share"),
    "uploader": gettext_noop("uploader"),
    "viewer": gettext_noop("viewer"),
    "watch": gettext_noop("watch"),
}
_WITH_OUR_VALUES = frozenset({"because", "before", "by", "level", "role", "visibility"})


def describe_details(details: Mapping[str, Any]) -> str:
    """Return the details of an entry for people: `before: private, visibility: public`."""
    return ", ".join(
        _describe(name, value) for name, value in details.items() if value not in (None, "")
    )


def _describe(name: str, value: object) -> str:
    if name == "expires_at":
        return expiry_words(datetime.fromisoformat(str(value)))
    if isinstance(value, dict):
        value = f"({describe_details(value)})"
    elif isinstance(value, bool):
        value = gettext("yes") if value else gettext("no")
    elif name in _WITH_OUR_VALUES and value in _VALUES:
        value = gettext(_VALUES[str(value)])
    words = gettext(_NAMES[name]) if name in _NAMES else name.replace("_", " ")
    return f"{words}: {value}"
