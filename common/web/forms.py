"""Forms and JSON bodies, read strictly: a missing, repeated or wrong field is refused."""

from typing import Any

from flask import request

from common.errors import Forbidden, Unprocessable


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
            raise Unprocessable(f"The field “{name}” came twice.")
        if not values and name in required:
            raise Unprocessable(f"The field “{name}” is missing.")
        fields[name] = values[0] if values else ""
    return fields


def json_fields(
    *required: str,
    optional: tuple[str, ...] = (),
    flags: tuple[str, ...] = (),
    lists: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return the named strings of a JSON object; optional ones that are missing are left out.

    :param flags: names of optional fields that are true or false.
    :param lists: names of optional fields that are lists of texts.
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
            raise Unprocessable(f"The field “{name}” is missing.")
    for name, value in body.items():
        if name in flags:
            if not isinstance(value, bool):
                raise Unprocessable(f"The field “{name}” is neither true nor false.")
            continue
        if name in lists:
            if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
                raise Unprocessable(f"The field “{name}” is not a list of texts.")
            continue
        if name not in (*required, *optional):
            raise Unprocessable(f"The field “{name}” is not known here.")
        if not isinstance(value, str):
            raise Unprocessable(f"The field “{name}” is not a text.")
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
        raise Forbidden("Plain text is not taken here, so nothing was changed.")
    raise Unprocessable(f"This address takes {' or '.join(types)}.")
