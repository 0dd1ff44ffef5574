"""Start programs, keep them running, and stop them together with everything they have started.

Each program runs in a session and process group of its own, so that the terminal's Ctrl-C does not
reach it and that its whole group can be killed. All methods must be called from the main thread.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

FIRST_DELAY = 0.5  # seconds until a program that ended by itself is started again
LONGEST_DELAY = 30.0  # seconds; the delay doubles each time until it reaches this
STABLE_AFTER = 60.0  # seconds; a program that ran for so long begins with the first delay again

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
# Loaded before any fork: a child between fork and exec must not import or allocate much.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(eq=False)
class Program:
    """A program to keep running.

    :ivar environ: the whole environment; None passes on this process's own.
    :ivar folder: the working directory; None keeps this process's own.
    :ivar input: a descriptor for standard input; None is an empty input.
    :ivar output: where standard output and standard error go; None passes on this process's own.
    :ivar started: when the process was started, on the supervisor's clock, as is `start_at`.
    :ivar delay: seconds until it may be started again when it ends by itself.
    """

    name: str
    command: Sequence[str]
    environ: Mapping[str, str] | None = None
    folder: Path | None = None
    output: "int | IO[bytes] | None" = None
    input: int | None = None
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    delay: float = field(default=FIRST_DELAY, init=False, repr=False)
    started: float = field(default=0.0, init=False, repr=False)
    start_at: float = field(default=0.0, init=False, repr=False)

    def start(self) -> None:
        """Start the program once; :class:`Supervisor` keeps it running.

        :raises OSError: the system cannot start it.
        """
        parent = os.getpid()
        self.process = subprocess.Popen(  # noqa: S603 (the caller's own command)
            self.command,
            env=self.environ,
            cwd=self.folder,
            stdin=subprocess.DEVNULL if self.input is None else self.input,
            stdout=self.output,
            stderr=self.output,
            start_new_session=True,
            preexec_fn=lambda: _end_with_parent(parent),  # noqa: PLW1509 (see _LIBC)
        )

    def kill_group(self) -> None:
        """Send SIGKILL to the process and to everything that it has left in its group."""
        if self.process is None:
            return
        # Nobody may be left; macOS answers EPERM when only zombies are.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Supervisor:
    """Keeps programs running: :meth:`start`, then :meth:`poll` in a loop, then :meth:`stop`.

    A program that ends by itself is started again after :data:`FIRST_DELAY`; the delay doubles up
    to :data:`LONGEST_DELAY`. What it left in its process group is killed first, so that orphans
    hold no port, socket or file.

    :param on_exit: called by :meth:`poll` with each program that ended by itself and its exit
        status; the status of one that a signal ended is the signal's number, negated. The program's
        `process` is still the one that ended.
    :param clock: returns seconds; a test gives its own.
    """

    def __init__(
        self,
        on_exit: Callable[[Program, int], None] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.programs: list[Program] = []
        self._on_exit = on_exit
        self._clock = clock

    def start(self, program: Program) -> None:
        """Start a program, and keep it running from now on.

        :raises OSError: the system cannot start it; it is then not kept.
        """
        program.start()
        program.started = self._clock()
        self.programs.append(program)

    def poll(self) -> None:
        """Notice programs that ended, and start those whose delay is over. Never waits."""
        for program in list(self.programs):
            if program.process is not None and (status := program.process.poll()) is not None:
                self._ended(program, status)
            if program.process is None and self._clock() >= program.start_at:
                self._start_again(program)

    def stop(self, programs: Iterable[Program] | None = None, *, grace: float) -> None:
        """Stop programs, and return when their processes have ended and their groups are killed.

        :param programs: those to stop; None stops all.
        :param grace: seconds between SIGTERM, which the programs themselves get, and SIGKILL, which
            their groups get.
        """
        stopping = list(self.programs if programs is None else programs)
        self.programs = [program for program in self.programs if program not in stopping]
        for program in stopping:
            if program.process is not None:
                program.process.terminate()
        deadline = time.monotonic() + grace
        for program in stopping:
            _end(program, within=deadline - time.monotonic())

    def _ended(self, program: Program, status: int) -> None:
        program.kill_group()
        if self._clock() - program.started >= STABLE_AFTER:
            program.delay = FIRST_DELAY
        self._delay_start(program)
        try:
            if self._on_exit is not None:
                self._on_exit(program, status)
        finally:
            program.process = None

    def _start_again(self, program: Program) -> None:
        program.started = self._clock()
        try:
            program.start()
        except OSError:  # such as too many processes
            self._delay_start(program)

    def _delay_start(self, program: Program) -> None:
        program.start_at = self._clock() + program.delay
        program.delay = min(2 * program.delay, LONGEST_DELAY)


def _end(program: Program, *, within: float) -> None:
    """Wait until a program ends, and kill what is left of its group."""
    process = program.process
    if process is None:
        return
    with suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, within))
    program.kill_group()
    process.wait()
    program.process = None


def _end_with_parent(parent: int) -> None:
    """Let this process get SIGTERM when its parent ends. Runs between fork and exec; Linux only."""
    if _LIBC is not None:
        _LIBC.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != parent:  # it ended before it could be watched
            os._exit(1)
