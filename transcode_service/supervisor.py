"""The worker processes of this service, and which jobs lose their worker when one ends."""

import secrets
import socket
import sys
from functools import partial

import structlog

from common.process.supervisor import Program, Supervisor
from transcode_service.reconciler import Reconciler

_GRACE = 8.0  # seconds that workers get to hand their jobs back

log = structlog.get_logger()


class WorkerSupervisor:
    """Keeps workers running, and returns the jobs of those that ended to the queue.

    :param count: workers. Each process gets a name of its own.
    """

    def __init__(self, count: int, reconciler: Reconciler) -> None:
        self._programs = [Program(f"worker-{n}", partial(self._command, n)) for n in range(count)]
        self._workers: dict[str, str] = {}  # the name of the process by that of its program
        self._reconciler = reconciler
        self._ended: list[str] = []  # workers whose jobs are still to be brought back
        self._supervisor = Supervisor(self._note_exit)

    def _command(self, number: int) -> list[str]:
        host = "".join(c for c in socket.gethostname() if c.isascii() and c.isalnum())[:24]
        worker = f"{host or 'host'}-{number}-{secrets.token_hex(4)}"
        self._workers[f"worker-{number}"] = worker
        return [sys.executable, "-m", "transcode_service.worker", worker]

    def start(self) -> None:
        """Start all workers. From the main thread, like :meth:`poll` and :meth:`stop`."""
        for program in self._programs:
            self._supervisor.start(program)

    def poll(self) -> None:
        """Start workers again that ended by themselves. Never waits."""
        self._supervisor.poll()

    def release_jobs(self) -> None:
        """Queue the jobs of workers that have ended again. From any one thread.

        :raises DatabaseUnavailable: the jobs are still to be released.
        """
        while self._ended:
            self._reconciler.release_worker(self._ended[0])
            self._ended.pop(0)

    def stop(self) -> None:
        """Stop all workers: SIGTERM, and SIGKILL after eight seconds."""
        self._supervisor.stop(grace=_GRACE)

    def _note_exit(self, program: Program, status: int) -> None:
        worker = self._workers[program.name]
        log.warning("worker ended", worker=worker, status=status)
        self._ended.append(worker)
