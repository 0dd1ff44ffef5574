"""Uploaders that send a byte now and then, as many as there may be of them."""

import resource
import selectors
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import cast

from tests.media import one_second
from tests.system.http_client import Person
from tests.system.tus import Tus

PAUSE = 9  # seconds between two bytes of one uploader
UPLOADS_EACH = 6  # that one account may send at once


def allow_connections(count: int) -> None:
    """Let this process have so many connections open, and some files."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, count + 1000), most))


class SlowUploaders:
    """Each has an upload of its own, and sends a byte of it every nine seconds.

    :param people: whose uploads they are, `UPLOADS_EACH` of each at most.
    :ivar lost: what the server has answered those that it should not have answered; empty where it
        has hung up.
    """

    def __init__(self, people: Sequence[Person], count: int) -> None:
        assert count <= len(people) * UPLOADS_EACH
        self._tus = [Tus(people[number % len(people)]) for number in range(count)]
        self._video_bytes = one_second()
        self._count = count
        self._selector = selectors.DefaultSelector()
        # Its client and upload, and bytes sent.
        self._lines: dict[socket.socket, tuple[Tus, str, int]] = {}
        self._thread = threading.Thread(target=self._trickle)
        self._all_open = threading.Event()
        self._done = threading.Event()
        self.lost: list[bytes] = []
        self.rounds = 0  # how often each has sent a byte

    def __enter__(self) -> "SlowUploaders":
        allow_connections(self._count)
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda tus: tus.begin(len(self._video_bytes)), self._tus))
        # From the first one on: whoever is silent for a minute is sent away.
        self._thread.start()
        for tus, where in zip(self._tus, made, strict=True):
            self._open(tus, where)
        self._all_open.set()
        return self

    def _open(self, tus: Tus, where: str) -> None:
        connection = tus.connect()
        head = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
        connection.sendall(
            tus.head_of("PATCH", where, len(self._video_bytes), head) + self._video_bytes[:1]
        )
        self._selector.register(connection, selectors.EVENT_READ)
        self._lines[connection] = tus, where, 1

    def _trickle(self) -> None:
        """Spread the bytes of all over the pause, so that somebody sends at any time."""
        while not self._done.is_set():
            began = time.monotonic()
            for number, connection in enumerate(list(self._lines)):
                due = began + PAUSE * number / self._count
                if self._done.wait(max(0, due - time.monotonic())):
                    return
                self._send_one(connection)
            self._done.wait(max(0, began + PAUSE - time.monotonic()))
            if self._all_open.is_set():
                self.rounds += 1
                # What comes back before the last byte has been sent is a refusal or a goodbye.
                for key, _ in self._selector.select(0):
                    self._lose(cast("socket.socket", key.fileobj))

    def _send_one(self, connection: socket.socket) -> None:
        tus, where, sent = self._lines[connection]
        try:
            connection.sendall(self._video_bytes[sent : sent + 1])
        except OSError:
            self._lose(connection)
        else:
            self._lines[connection] = tus, where, sent + 1

    def _lose(self, connection: socket.socket) -> None:
        with suppress(OSError):
            self.lost.append(connection.recv(4096))
        self._selector.unregister(connection)
        connection.close()
        del self._lines[connection]

    def standing(self) -> list[tuple[Tus, str, int]]:
        """Return the client and address of each upload, and how many bytes of it have been sent."""
        return list(self._lines.values())

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._selector.close()
        for connection in self._lines:
            connection.close()
