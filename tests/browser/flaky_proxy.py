"""A line between a browser and Matinee that can be slow, and that can be cut.

Chromium's own emulation lets a request that is under way finish, which no broken network does.
"""

import contextlib
import socket
import struct
import threading
import time
from urllib.parse import urlsplit

PIECE = 1 << 14  # bytes
ABRUPTLY = struct.pack("ii", 1, 0)  # SO_LINGER, for a reset instead of a goodbye


class Line:
    """Hands every connection on to the server at `url`.

    :ivar speed: bytes a second that a connection carries from the browser; None: as many as it can.
    :ivar carried: bytes that have come from the browser so far.
    """

    def __init__(self, url: str) -> None:
        self._target = (str(urlsplit(url).hostname), int(urlsplit(url).port or 80))
        self._listener = socket.socket()
        # Small, so that what the browser calls sent is not far from what has arrived.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.speed: int | None = None
        self.carried = 0
        self._broken = False
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection, and all that are made from now on."""
        self._broken = True
        for end in list(self._open):
            self._reset(end)

    def mend(self) -> None:
        """Carry everything again, as fast as it can."""
        self.speed = None
        self._broken = False

    def close(self) -> None:
        """End for good."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _address = self._listener.accept()
            except OSError:
                return
            if self._broken:
                self._reset(near)
                continue
            far = socket.create_connection(self._target)
            self._open |= {near, far}
            for source, sink, slow in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._carry, args=(source, sink, slow), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, slow: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                if slow and self.speed:
                    time.sleep(len(piece) / self.speed)
                self.carried += len(piece) if slow else 0
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
            return
        self._reset(source)
        self._reset(sink)

    def _reset(self, end: socket.socket) -> None:
        self._open.discard(end)
        with contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABRUPTLY)
            # Whoever reads from it in another thread would go on without this.
            end.shutdown(socket.SHUT_RDWR)
        end.close()
