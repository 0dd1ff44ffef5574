"""gunicorn's worker on a bare machine, with a short way for the files of videos.

A player asks for thousands of ranges, each time with the same few headers and without a body. Such
a request is read and answered here; all others go gunicorn's own way.
"""

import io
import re
import socket
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gunicorn.http.wsgi import FileWrapper, base_environ

from common.media import media_of
from common.patient import PatientSocket, PatientWorker
from common.plain import END, headers_of, wsgi_names
from streaming_service.ranges import date_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_LIMIT = 8192  # bytes of a request's head
_MORE = getattr(socket, "MSG_MORE", 0)  # the system may wait for the file before it sends the head

_START = re.compile(rb"(GET|HEAD) (/stream/[A-Za-z0-9_-]{22}/([a-z0-9/.-]{1,50})) HTTP/1\.1\r\n")

# What browsers and scripts send with such a request. Not `Forwarded` and its like, which gunicorn
# weighs, and nothing that announces a body.
_KEYS = wsgi_names([
    "Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Connection",
    "Cookie", "DNT", "Host", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range",
    "If-Unmodified-Since", "Origin", "Pragma", "Priority", "Range", "Referer", "Sec-CH-UA",
    "Sec-CH-UA-Mobile", "Sec-CH-UA-Platform", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site",
    "Sec-GPC", "User-Agent",
])  # fmt: skip


def environ_of(head: bytes) -> "WSGIEnvironment | None":
    """Return what a plain request for a file of a video says, as WSGI names it; None for all else.

    :param head: all that has come: a head and nothing after it, or the request is not plain.
    """
    start = _START.match(head)
    if start is None or head.find(END) != len(head) - len(END):
        return None
    path, name = start[2].decode("ascii"), start[3].decode("ascii")
    headers = headers_of(head[start.end() : -len(END)], _KEYS)
    if media_of(name) is None or headers is None or "HTTP_HOST" not in headers:
        return None
    if headers.get("HTTP_CONNECTION", "keep-alive") != "keep-alive":
        return None
    return {
        "REQUEST_METHOD": start[1].decode("ascii"),
        "PATH_INFO": path,
        "RAW_URI": path,
        "QUERY_STRING": "",
        "SCRIPT_NAME": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        **headers,
    }


class MediaWorker(PatientWorker):
    """Serves the site on threads; plain requests for media are read without gunicorn's parser."""

    def answer(self, conn: Any) -> Any:
        """Answer one request, and tell gunicorn how its connection goes on."""
        environ = self._glance(conn)
        if environ is None:
            return super().answer(conn)
        try:
            self._send(conn.sock, environ)
        except OSError as error:
            self.log.debug("A viewer has gone: %s", error)
            return False
        except Exception as error:  # as gunicorn does: a log line, and 500
            self.handle_error(None, conn.sock, conn.client, error)
            return False
        return True

    @cached_property
    def _base_environ(self) -> "WSGIEnvironment":
        return dict(base_environ(self.cfg))

    def _glance(self, conn: Any) -> "WSGIEnvironment | None":
        """Take a plain request from a connection, or leave what is there to gunicorn."""
        ends_soon = not self.alive or len(self.keepalived_conns) >= self.max_keepalived
        is_plain = isinstance(conn.client, tuple) and not self.cfg.is_ssl  # over TCP, as it is
        if ends_soon or not is_plain:
            return None
        if conn.initialized and conn.parser.unreader.buf.getvalue():
            return None  # it was read ahead with the last one
        try:
            head = conn.sock.recv(_LIMIT, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:
            return None
        environ = environ_of(head)
        if environ is None:
            return None
        conn.init()  # so that gunicorn finds its parser when something else comes
        conn.sock.setblocking(True)
        conn.sock.recv(len(head))
        (address, port), (host, own_port) = conn.client[:2], conn.server[:2]
        return {
            **self._base_environ,
            **environ,
            "wsgi.input": io.BytesIO(),
            "wsgi.multithread": True,
            "gunicorn.socket": conn.sock,
            "REMOTE_ADDR": address,
            "REMOTE_PORT": str(port),
            "SERVER_NAME": host,
            "SERVER_PORT": str(own_port),
        }

    def _send(self, client: PatientSocket, environ: "WSGIEnvironment") -> None:
        lines: list[str] = []
        length = 0

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            nonlocal length
            lines[:] = [
                f"HTTP/1.1 {status}",
                f"Date: {date_of(int(time.time()))}",
                "Connection: keep-alive",
            ]
            for name, value in headers:
                lines.append(f"{name}: {value}")
                if name == "Content-Length":
                    length = int(value)

        body = self.wsgi(environ, start_response)
        try:
            file = body.filelike if isinstance(body, FileWrapper) else None
            content = b"" if file else b"".join(body)
            head = "\r\n".join([*lines, "", ""]).encode("latin-1")
            client.sendall(head + content, _MORE if file else 0)
            if file:
                client.sendfile(file, file.tell(), length)
        finally:
            if hasattr(body, "close"):
                body.close()
