"""Reads of Redis by many requests at once, made in one round trip.

A client of Redis spends most of its time on the question as such: the command, the connection, the
wait. So one request asks for all that are waiting at that moment, and while it does the next ones
gather. Under load a key costs a twentieth of a round trip. Since one asks at a time, all ask over
one connection; taking one from a pool and giving it back would be a third of the time.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError


@dataclass(eq=False)
class _Question:
    """:ivar waits: held until there is an answer, or it is this one's turn to ask for all."""

    keys: Sequence[str]
    waits: "threading.Lock | None" = None
    values: list[str | None] | None = None
    error: RedisError | None = None

    def wake(self) -> None:
        if self.waits is not None and self.waits.locked():
            self.waits.release()


class Gathering:
    """Strings of Redis, asked for together by whoever asks at the same time."""

    def __init__(self, redis: Redis) -> None:
        self._pool = redis
        self._redis: Redis | None = None  # one connection, from the first question on
        self._lock = threading.Lock()
        self._waiting: list[_Question] = []
        self._somebody_asks = False

    def get(self, keys: Sequence[str]) -> list[str | None]:
        """Return what each key held at some moment of this call; None where there is nothing.

        :raises redis.exceptions.RedisError: the store is away, for all who asked together.
        """
        question = _Question(keys)
        with self._lock:
            self._waiting.append(question)
            if self._somebody_asks:
                question.waits = threading.Lock()  # cheaper than an Event
                question.waits.acquire()
            self._somebody_asks = True
        if question.waits is not None:
            question.waits.acquire()
        if question.values is None and question.error is None:
            self._ask_for_all()
        if question.error is not None:
            # Its own: one that several requests raise would gather the tracebacks of all.
            raise type(question.error)(*question.error.args)
        return question.values or []

    def _ask_for_all(self) -> None:
        with self._lock:
            questions, self._waiting = self._waiting, []
        # Should this request be ended while it asks.
        error: RedisError | None = RedisConnectionError("who asked for this was ended")
        try:
            if self._redis is None:
                self._redis = self._pool.client()  # type: ignore[no-untyped-call]
            found = self._redis.mget([key for question in questions for key in question.keys])
            values = iter([value if isinstance(value, str) else None for value in found])
            for question in questions:
                question.values = [next(values) for _ in question.keys]
            error = None
        except RedisError as raised:
            error = raised
        finally:
            for question in questions:
                question.error = error
                question.wake()
            self._pass_on()

    def _pass_on(self) -> None:
        with self._lock:
            self._somebody_asks = bool(self._waiting)
            if self._waiting:
                self._waiting[0].wake()
