"""A viewer who reads small ranges of one video without pause, and notes when bytes were granted."""

import re
import socket
import threading
import time
from urllib.parse import urlsplit

from benchmarks.sites import COOKIE

LENGTH = 1000
"""Bytes of a range."""

_REFUSALS = (401, 404)
_AFTER_REFUSAL = 0.01  # seconds; who was refused need not hurry


class Reader:
    """Reads ranges of a video without pause, and notes when bytes were granted."""

    def __init__(self, url: str, video: str, cookie: str) -> None:
        where = urlsplit(url)
        self._address = (where.hostname or "", where.port or 80)
        head = f"GET /stream/{video}/video.mp4 HTTP/1.1\r\nHost: {where.netloc}\r\n"
        head += f"Cookie: {COOKIE}={cookie}\r\nRange: bytes=0-{LENGTH - 1}\r\n\r\n"
        self._request = head.encode()
        self._over = threading.Event()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.last_granted = 0.0
        self.granted = 0
        self.refused = 0
        self.error: Exception | None = None

    def start(self) -> None:
        """Read, and return once bytes come."""
        self._thread.start()
        if not self._begun.wait(10):
            self.stop()
            raise RuntimeError(f"the viewer was never let in: {self.error}")

    def stop(self) -> None:
        """Stop reading.

        :raises RuntimeError: something else than a grant or a refusal came, or no refusal at all.
        """
        self._over.set()
        self._thread.join()
        if self.error:
            raise RuntimeError("the reader failed") from self.error

    def _read(self) -> None:
        try:
            while not self._over.is_set():
                with socket.create_connection(self._address, 10) as wire:
                    while not self._over.is_set() and self._read_one(wire):
                        pass
        except Exception as error:  # handed to the thread that waits
            self.error = error

    def _read_one(self, wire: socket.socket) -> bool:
        """Read a range, and tell whether the connection takes another request."""
        status, stays = self._ask(wire)
        if status == 206:
            self.last_granted = time.monotonic()
            self.granted += 1
            self._begun.set()
        elif status in _REFUSALS:
            self.refused += 1
            time.sleep(_AFTER_REFUSAL)
        else:
            raise RuntimeError(f"status {status}")
        return stays

    def _ask(self, wire: socket.socket) -> tuple[int, bool]:
        wire.sendall(self._request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            if not (piece := wire.recv(1 << 16)):
                raise ConnectionError("closed")
            answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        left = int(found[1]) - len(body) if found else 0
        while left > 0:
            left -= len(wire.recv(left))
        stays = re.search(rb"(?i)\r\nconnection: *close", head) is None
        return int(head.split()[1]), stays
