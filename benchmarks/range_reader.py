"""A viewer who reads small ranges of one video without pause, and notes when bytes were granted."""

import threading
import time
from http.client import HTTPConnection
from urllib.request import Request, urlopen

from benchmarks.form_client import connect

LENGTH = 1000
"""Bytes of a range."""

_REFUSALS = (401, 404)
_AFTER_REFUSAL = 0.01  # seconds; a viewer who was refused need not hurry


def read_all(url: str, *, cookie: str = "") -> int:
    """Read a whole answer, keep nothing, and return how many bytes it had."""
    request = Request(url, headers={"Cookie": cookie} if cookie else {})
    size = 0
    with urlopen(request, timeout=60) as answer:
        while piece := answer.read(1 << 20):
            size += len(piece)
    return size


class RangeReader:
    """Reads ranges of a video in a thread of its own.

    :ivar last_granted: when the last range arrived, by `time.monotonic`.
    """

    def __init__(self, url: str, video: str, cookie: str) -> None:
        self._connection = connect(url)
        self._path = f"/stream/{video}/video.mp4"
        self._headers = {"Cookie": cookie, "Range": f"bytes=0-{LENGTH - 1}"}
        self._stopped = threading.Event()
        self._granted_once = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.last_granted = 0.0
        self.granted = 0
        self.refused = 0
        self.error: Exception | None = None

    def start(self) -> None:
        """Begin reading, and return once bytes arrive."""
        self._thread.start()
        if not self._granted_once.wait(10):
            self.stop()
            raise RuntimeError(f"the viewer was never let in: {self.error}")

    def stop(self) -> None:
        """Stop reading.

        :raises RuntimeError: an answer was neither a grant nor a refusal.
        """
        self._stopped.set()
        self._thread.join()
        self._connection.close()
        if self.error:
            raise RuntimeError("the reader failed") from self.error

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                self._read_one(self._connection)
        except Exception as error:  # handed to the thread that waits
            self.error = error

    def _read_one(self, connection: HTTPConnection) -> None:
        connection.request("GET", self._path, headers=self._headers)
        response = connection.getresponse()
        response.read()
        if response.status == 206:
            self.last_granted = time.monotonic()
            self.granted += 1
            self._granted_once.set()
        elif response.status in _REFUSALS:
            self.refused += 1
            self._stopped.wait(_AFTER_REFUSAL)
        else:
            raise RuntimeError(f"status {response.status}")
