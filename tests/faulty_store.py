"""A proxy before a real object store that answers as stores do when something is wrong."""

import enum
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from common.storage.s3_settings import S3Settings


class Fault(enum.StrEnum):
    """What is wrong with answers."""

    DENIED = "AccessDenied"
    SLOW_DOWN = "SlowDown"
    CUT = "the connection ends in the middle of a body"
    WRONG = "other bytes of the same length"
    SILENT = "no answer"
    SILENT_HALFWAY = "half a body, and no more"


_STATUS = {Fault.DENIED: 403, Fault.SLOW_DOWN: 503}
_KEPT = ("content-type", "content-range", "etag", "last-modified", "accept-ranges", "date")


class FaultyProxy:
    """Passes requests on to a store.

    :ivar settings: those of the store, with the proxy's address.
    :ivar fault: what is wrong with the next answers; None: nothing. A body that is spoilt is one
        of a `GET`; other requests are then answered well.
    :ivar left: how many answers are spoilt.
    :ivar spoilt: how many were.
    """

    def __init__(self, settings: S3Settings) -> None:
        self._released = threading.Event()
        self._lock = threading.Lock()
        self._target = urlsplit(settings.endpoint).netloc
        self.fault: Fault | None = None
        self.left = 1_000_000
        self.spoilt = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self.server.daemon_threads = True
        endpoint = f"http://127.0.0.1:{self.server.server_port}"
        self.settings = replace(settings, endpoint=endpoint)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Let those go who wait for an answer, and take no more requests."""
        self._released.set()
        self.server.shutdown()
        self.server.server_close()

    def pass_on(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        fault = self._take(has_body=request.command == "GET" and "?list" not in request.path)
        if fault in _STATUS:
            content = f"<Error><Code>{fault.value}</Code><Message>no</Message></Error>".encode()
            self._answer(request, _STATUS[fault], {"content-type": "application/xml"}, content)
            return
        if fault is Fault.SILENT:
            self._say_nothing(request)
            return
        connection = HTTPConnection(self._target, timeout=20)
        try:
            connection.request(request.command, request.path, body, dict(request.headers))
            found = connection.getresponse()
            headers = {name.lower(): value for name, value in found.getheaders()}
            self._answer(request, found.status, headers, found.read(), fault)
        finally:
            connection.close()

    def _take(self, *, has_body: bool) -> Fault | None:
        with self._lock:
            needs_body = self.fault in (Fault.CUT, Fault.WRONG, Fault.SILENT_HALFWAY)
            if self.fault is None or not self.left or (needs_body and not has_body):
                return None
            self.left -= 1
            self.spoilt += 1
            return self.fault

    def _answer(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        headers: dict[str, str],
        content: bytes,
        fault: Fault | None = None,
    ) -> None:
        length = headers.get("content-length", str(len(content)))
        if fault is Fault.WRONG:
            content = bytes(byte ^ 1 for byte in content)
        elif fault is not None:
            content = content[: len(content) // 2]
        request.send_response_only(status)
        for name in _KEPT:
            if name in headers:
                request.send_header(name, headers[name])
        if status != 204:
            request.send_header("Content-Length", length)
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(content)
        if fault is Fault.CUT:
            request.close_connection = True
        elif fault is Fault.SILENT_HALFWAY:
            self._say_nothing(request)

    def _say_nothing(self, request: BaseHTTPRequestHandler) -> None:
        request.wfile.flush()
        self._released.wait(20)
        request.close_connection = True


@contextmanager
def faulty(settings: S3Settings) -> Iterator[FaultyProxy]:
    """Run a proxy before a store."""
    proxy = FaultyProxy(settings)
    try:
        yield proxy
    finally:
        proxy.close()


def _handler_of(proxy: FaultyProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            try:
                proxy.pass_on(self)
            except ConnectionError:  # the client has given up
                self.close_connection = True

        # The library calls a method by the name of the request's.
        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

        def log_message(self, *_args: object) -> None:
            """Stay quiet."""

    return Handler
