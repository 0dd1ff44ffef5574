"""The worker processes of this service, and which jobs lose their worker when one ends."""

import secrets
import socket
import sys

import structlog

from common.process.supervisor import Program, Supervisor
from transcode_service.reconciler import Reconciler

_GRACE = 8.0  # seconds that workers get to hand their jobs back

log = structlog.get_logger()


class WorkerSlot:
    """A place for one worker process at a time. Each process gets a name of its own."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.worker = ""
        self.program = Program(f"worker-{number}", self._command)

    def _command(self) -> list[str]:
        host = "".join(c for c in socket.gethostname() if c.isascii() and c.isalnum())[:24]
        self.worker = f"{host or 'host'}-{self._number}-{secrets.token_hex(4)}"
        return [sys.executable, "-m", "transcode_service.worker", self.worker]


class WorkerSupervisor:
    """Keeps workers running, and returns the jobs of those that ended to the queue.

    :param count: workers.
    """

    def __init__(self, count: int, reconciler: Reconciler) -> None:
        self._slots = [WorkerSlot(number) for number in range(count)]
        self._reconciler = reconciler
        self._ended: list[str] = []  # workers whose jobs are still to be brought back
        self._supervisor = Supervisor(self._note_exit)

    def start(self) -> None:
        """Start all workers. From the main thread, like :meth:`poll` and :meth:`stop`."""
        for slot in self._slots:
            self._supervisor.start(slot.program)

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
        [worker] = [slot.worker for slot in self._slots if slot.program is program]
        log.warning("worker ended", worker=worker, status=status)
        self._ended.append(worker)
