"""gunicorn's worker behind the gateway, with a short way for the gateway's questions.

gunicorn spends three times as long on reading a request and writing an answer as it takes to decide
whether somebody may have a file. What the gateway asks always looks the same and has no body, so it
is read here; whatever looks different in the least goes gunicorn's own way.
"""

from socket import MSG_PEEK
from typing import TYPE_CHECKING, Any

from gunicorn.workers.ggevent import GeventWorker

from streaming_service.question import LIMIT, environ_of

if TYPE_CHECKING:
    from gevent.socket import socket

_LOOK_UP = 1.0  # seconds, after which a connection that waits finds out that the worker stops


class Worker(GeventWorker):  # type: ignore[misc]
    """Serves the app on gevent; `GET /internal/authorise` is read without gunicorn's parser."""

    def handle(self, listener: Any, client: "socket", addr: Any) -> None:
        """Answer what comes over a connection, until it ends."""
        client.settimeout(_LOOK_UP)
        goes_on = False
        try:
            goes_on = self._answer_questions(client)
        except OSError:
            self.log.debug("The gateway has let go of a connection.")
        except Exception as error:  # as gunicorn does: a log line, and 500
            self.handle_error(None, client, addr, error)
        if goes_on:
            super().handle(listener, client, addr)
        else:
            client.close()

    def _answer_questions(self, client: "socket") -> bool:
        """Answer questions for as long as they come; tell whether something else came."""
        asked = False
        while self.alive:
            try:
                # Only looked at, so that gunicorn finds all of what is not a question.
                head = client.recv(LIMIT, MSG_PEEK)
            except TimeoutError:
                if asked:
                    continue
                return True
            if not head:
                return False
            environ = environ_of(head)
            if environ is None:
                return True
            client.recv(len(head))
            client.sendall(self._answer(environ))
            asked = True
        return False

    def _answer(self, environ: dict[str, str]) -> bytes:
        lines: list[str] = []

        def start_response(status: str, headers: list[tuple[str, str]]) -> None:
            lines.append(f"HTTP/1.1 {status}")
            lines.extend(f"{name}: {value}" for name, value in headers)

        body = b"".join(self.wsgi(environ, start_response))
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
