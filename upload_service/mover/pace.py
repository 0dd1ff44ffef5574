"""How fast the mover copies: not faster than `MOVE_RATE`, and not at all while it is paused."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_LOOK = 1.0  # seconds between two looks whether to go on


class MovePaused(Exception):
    """An administrator has paused the mover. The copy begins anew later."""


class MoveStopped(Exception):
    """The program is to end."""


@dataclass
class Pace:
    """Is told of the progress of each copy: :data:`common.storage.object_files.Advance`.

    :ivar stop: set when the program is to end.
    :ivar rate: returns bytes per second, or None for no limit.
    :ivar is_paused: tells whether copies are to wait.
    :ivar renew: is called at each look, at least once a second while a copy waits for the rate.
    """

    stop: threading.Event
    rate: Callable[[], int | None]
    is_paused: Callable[[], bool]
    renew: Callable[[], object] = lambda: None
    clock: Callable[[], float] = time.monotonic

    def check(self) -> None:
        """Return if a copy may begin or go on.

        :raises MovePaused, MoveStopped: it may not.
        """
        self.renew()
        if self.stop.is_set():
            raise MoveStopped
        if self.is_paused():
            raise MovePaused

    def begin(self) -> Callable[[int], None]:
        """Return what a new copy tells its progress, in bytes that are done. It waits as needed.

        Both raise as :meth:`check` does.
        """
        self.check()
        told, at = 0, self.clock()

        def advance(done: int) -> None:
            nonlocal told, at
            self.check()
            if rate := self.rate():
                free_at = at + (done - told) / rate
                while (spare := free_at - self.clock()) > 0:
                    self.stop.wait(min(spare, _LOOK))
                    self.check()
            told, at = done, self.clock()

        return advance
