"""Viewers who read ranges through the gateway, and what they did not get."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from random import Random

from tests.fake_service import Answer
from tests.gateway.harness import Gateway

_LARGEST = 512 << 10  # bytes of a range
_THINK = 0.25  # seconds between two ranges
_RETRY = 0.05

Contents = Mapping[str, Mapping[str, bytes]]
"""The bytes of files, by video and by their names in URLs."""


class Outages:
    """When the gateway or the store was down."""

    def __init__(self) -> None:
        self._ended: list[tuple[float, float]] = []
        self._since: float | None = None
        self._lock = threading.Lock()

    @contextmanager
    def during(self) -> Iterator[None]:
        """Count the time within the block as an outage."""
        with self._lock:
            self._since = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._ended.append((self._since, time.monotonic()))
                self._since = None

    def seconds(self, since: float, until: float) -> float:
        """Return how much of a time was within outages, in seconds."""
        with self._lock:
            spans = [*self._ended, *([] if self._since is None else [(self._since, until)])]
        return sum(max(0.0, min(until, end) - max(since, begun)) for begun, end in spans)


class Viewer(threading.Thread):
    """Somebody who plays videos.

    A range counts as unwatchable from when it was first asked for until its bytes have come, less
    the time within outages. In an outage a viewer must be told so: the connection is refused or
    cut, or the answer is a 503 with `Retry-After`. That a file is not there, or not for this
    viewer, is never a way to say so, and no outage excuses it.

    :param limit: seconds that a range may be unwatchable.
    :ivar reads: ranges whose bytes came and were right.
    :ivar told: answers that told of an outage.
    :ivar longest: the longest time that a range was unwatchable, in seconds.
    :ivar wrong: what was not right.
    """

    def __init__(
        self,
        gateway: Gateway,
        token: str,
        contents: Contents,
        outages: Outages,
        *,
        seed: int,
        limit: float,
    ) -> None:
        super().__init__(daemon=True)
        self._limit = limit
        self._gateway, self._token, self._contents = gateway, token, contents
        self._outages, self._random = outages, Random(seed)
        self.ended = threading.Event()
        self.reads = self.told = 0
        self.longest = 0.0
        self.wrong: list[str] = []

    def run(self) -> None:
        """Read until told to end."""
        while not self.ended.wait(_THINK):
            video = self._random.choice(sorted(self._contents))
            name = self._random.choice(sorted(self._contents[video]))
            content = self._contents[video][name]
            first = self._random.randrange(len(content))
            self._read(f"/stream/{video}/{name}", content, first)

    def _read(self, path: str, content: bytes, first: int) -> None:
        last = min(first + _LARGEST, len(content)) - 1
        began, got = time.monotonic(), ""
        lost_since: float | None = None
        while True:
            answer = self._ask(path, first, last)
            now = time.monotonic()
            took = now - began - self._outages.seconds(began, now)
            if answer is not None and answer.status == 206:
                if answer.body != content[first : last + 1]:
                    self.wrong.append(f"{path} {first}-{last}: other bytes")
                    return
                self.longest = max(self.longest, took)
                if took > self._limit:
                    self.wrong.append(f"{path}: {took:.1f} s until it came; before: {got}")
                self.reads += 1
                return
            if answer is None or (answer.status == 503 and answer.header("Retry-After")):
                self.told += 1
                got, lost_since = "an outage", None
            else:
                got = str(answer.status)
                lost_since = lost_since or now
                took = max(took, now - lost_since)
            if took > self._limit:
                self.wrong.append(f"{path}: {took:.1f} s, {got}")
                return
            self.ended.wait(_RETRY)

    def _ask(self, path: str, first: int, last: int) -> Answer | None:
        span = {"Range": f"bytes={first}-{last}"}
        try:
            return self._gateway.ask(path, token=self._token, headers=span)
        except (OSError, HTTPException):  # refused, or cut
            return None
