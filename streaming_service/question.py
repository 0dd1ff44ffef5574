"""The gateway's question, as it is sent: whether somebody may have a media file.

Its answer is in `streaming_service.authorisation`. Nothing is imported here that opens a socket,
since gunicorn's worker needs it before gevent has replaced those.
"""

PATH = "/internal/authorise"
LIMIT = 8192  # bytes

_START = f"GET {PATH} HTTP/1.1\r\n".encode()
_END = b"\r\n\r\n"
# As the gateway writes them; a question with any other header is none.
_KEYS = {
    name: "HTTP_" + name.upper().replace("-", "_")
    for name in (
        "Host", "X-Request-Id", "X-Session-Token", "X-Bearer", "X-Video", "X-Media-Name",
    )
}  # fmt: skip


def environ_of(head: bytes) -> dict[str, str] | None:
    """Return the WSGI environment of one question as the gateway asks it; None for all else.

    It holds what the answer depends on: the path, and the gateway's own headers.
    """
    if not head.startswith(_START) or head.find(_END) != len(head) - len(_END):
        return None
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": PATH}
    for line in head[len(_START) : -len(_END)].decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(": ")
        key = _KEYS.get(name)
        if not colon or key is None or key in environ:
            return None
        environ[key] = value
    return environ
