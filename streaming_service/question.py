"""The gateway's question, as it is sent: whether somebody may have a media file.

Its answer is in `streaming_service.authorisation`. Nothing is imported here that opens a socket,
since gunicorn's worker needs it before gevent has replaced those.
"""

from common.plain import END, headers_of, wsgi_names

PATH = "/internal/authorise"
LIMIT = 8192  # bytes

_START = f"GET {PATH} HTTP/1.1\r\n".encode()
# As the gateway writes them; a question with any other header is none.
_KEYS = wsgi_names(
    ["Host", "X-Request-Id", "X-Session-Token", "X-Bearer", "X-Video", "X-Media-Name"]
)


def environ_of(head: bytes) -> dict[str, str] | None:
    """Return the WSGI environment of one question as the gateway asks it; None for all else.

    It holds what the answer depends on: the path, and the gateway's own headers.
    """
    if not head.startswith(_START) or head.find(END) != len(head) - len(END):
        return None
    headers = headers_of(head[len(_START) : -len(END)], _KEYS)
    if headers is None:
        return None
    return {"REQUEST_METHOD": "GET", "PATH_INFO": PATH, **headers}
