"""Forms and JSON bodies, read strictly: a missing, repeated or wrong field is refused."""

from collections.abc import Callable
from typing import Any

from flask import request

from common.errors import Forbidden, Unprocessable
from common.translation import gettext

# Whether a value of a JSON object is of a kind, and what is wrong if it is not.
_Kind = tuple[Callable[[Any], bool], str]
_TEXT: _Kind = (lambda value: isinstance(value, str), "not a text")
_NULLABLE: _Kind = (lambda value: value is None or isinstance(value, str), "not a text")
_FLAG: _Kind = (lambda value: isinstance(value, bool), "neither true nor false")
_NUMBER: _Kind = (lambda value: value is None or type(value) is int, "not a whole number")
_LIST: _Kind = (
    lambda value: isinstance(value, list) and all(isinstance(part, str) for part in value),
    "not a list of texts",
)
_OBJECTS: _Kind = (
    lambda value: isinstance(value, list) and all(isinstance(part, dict) for part in value),
    "not a list of objects",
)


def form_fields(*required: str, optional: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the named fields of a posted form; an optional one that is missing is empty.

    :raises Unprocessable: a field is missing or came twice, or the body is not a form.
    :raises Forbidden: the body is plain text, which another site's form can send and ours never do.
    """
    require_type("application/x-www-form-urlencoded", "multipart/form-data")
    fields = {}
    for name in (*required, *optional):
        values = request.form.getlist(name)
        if len(values) > 1:
            raise Unprocessable(gettext("The field “%(name)s” came twice.", name=name))
        if not values and name in required:
            raise Unprocessable(gettext("The field “%(name)s” is missing.", name=name))
        fields[name] = values[0] if values else ""
    return fields


def json_fields(
    *required: str,
    optional: tuple[str, ...] = (),
    flags: tuple[str, ...] = (),
    nullable: tuple[str, ...] = (),
    numbers: tuple[str, ...] = (),
    lists: tuple[str, ...] = (),
    objects: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return the named strings of a JSON object; optional ones that are missing are left out.

    :param flags: names of optional fields that are true or false.
    :param nullable: names of optional fields that are a string or null.
    :param numbers: names of optional fields that are a whole number or null.
    :param lists: names of optional fields that are lists of texts.
    :param objects: names of optional fields that are lists of objects, which the caller checks.
    :raises Unprocessable: a field is missing, unknown or of another kind, or the body is not an
        object.
    :raises Forbidden: the body is plain text.
    """
    require_type("application/json")
    try:
        body = request.get_json(silent=True)
    except RecursionError:  # thousands of nested brackets
        body = None
    if not isinstance(body, dict):
        raise Unprocessable("The body is not a JSON object.")
    for name in required:
        if name not in body:
            raise Unprocessable(gettext("The field “%(name)s” is missing.", name=name))
    known = {
        **dict.fromkeys((*required, *optional), _TEXT),
        **dict.fromkeys(flags, _FLAG),
        **dict.fromkeys(nullable, _NULLABLE),
        **dict.fromkeys(numbers, _NUMBER),
        **dict.fromkeys(lists, _LIST),
        **dict.fromkeys(objects, _OBJECTS),
    }
    for name, value in body.items():
        if name not in known:
            raise Unprocessable(f"The field “{name}” is not known here.")
        is_right, complaint = known[name]
        if not is_right(value):
            raise Unprocessable(f"The field “{name}” is {complaint}.")
    return body


def require_type(*types: str) -> None:
    """Check that the body has one of these media types.

    :raises Unprocessable: it is of another type.
    :raises Forbidden: it is plain text, which another site's form can send and ours never do.
    """
    given = request.mimetype
    if given in types:
        return
    if given == "text/plain":
        raise Forbidden(gettext("Plain text is not taken here, so nothing was changed."))
    raise Unprocessable(f"This address takes {' or '.join(types)}.")
