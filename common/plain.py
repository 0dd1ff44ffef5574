"""Requests that always look the same, read in one look instead of by gunicorn's parser.

gunicorn takes longer to read a request than it takes to decide whether somebody may have a file. Of
the two requests that come by the thousand, the gateway's question and a player's for a range, only
the plainest form is read here; whatever looks different in the least goes gunicorn's own way.
"""

from collections.abc import Iterable, Mapping

END = b"\r\n\r\n"  # of a request's head


def wsgi_names(headers: Iterable[str]) -> dict[str, str]:
    """Return the keys of headers in a WSGI environment, by their names in small letters."""
    return {name.lower(): "HTTP_" + name.upper().replace("-", "_") for name in headers}


def headers_of(lines: bytes, keys: Mapping[str, str]) -> dict[str, str] | None:
    """Return the headers of a request as WSGI names them, if each is known and comes once.

    :param lines: without the end of the last.
    :param keys: of :func:`wsgi_names`: all that may come.
    :return: None if there is anything else, such as a value that is not printable ASCII.
    """
    if not lines.isascii():
        return None
    found: dict[str, str] = {}
    for line in lines.decode("ascii").split("\r\n"):
        name, colon, value = line.partition(": ")
        key = keys.get(name.lower())
        if not colon or key is None or key in found:
            return None
        if not value.isprintable() or value != value.strip():
            return None
        found[key] = value
    return found
