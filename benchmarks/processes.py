"""Programs that a benchmark starts, and the processor time that processes have used."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.containers import docker

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the processor time that processes have used so far, in user and kernel mode."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def memory_bytes(pids: Iterable[int]) -> int:
    """Return the memory of processes, what they share divided among them (PSS)."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) << 10
    return total


def with_children(pid: int) -> tuple[int, ...]:
    """Return a process and those that it started, but for nginx's loader, which soon ends."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    commands = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    return (pid, *(child for child, line in commands.items() if b"cache loader" not in line))


def wait_for_children(pid: int, count: int, *, within: float = 20) -> None:
    """Wait until a process has started so many others.

    :raises TimeoutError: it has not.
    """
    deadline = time.monotonic() + within
    while len(with_children(pid)) <= count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"process {pid} did not start {count} others")
        time.sleep(0.05)


def pids_in(container: str) -> tuple[int, ...]:
    """Return the processes of a container, as this machine numbers them; no health check's."""
    return with_children(int(docker("inspect", "--format", "{{.State.Pid}}", container)))


def docker_works() -> bool:
    """Tell whether there is a Docker to talk to."""
    if shutil.which("docker") is None:
        return False
    done = subprocess.run(["docker", "info"], capture_output=True, check=False)
    return done.returncode == 0


def wait_for_port(address: str, port: int, *, within: float = 20) -> None:
    """Wait until something listens.

    :raises TimeoutError: nothing does.
    """
    deadline = time.monotonic() + within
    while True:
        try:
            socket.create_connection((address, port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing listens on {address}:{port}") from None
            time.sleep(0.05)
        else:
            return


@contextmanager
def running(
    command: Sequence[str], *, log: Path, env: dict[str, str] | None = None
) -> Iterator[int]:
    """Run a program, with its output in a file, until the block ends; yield its id."""
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=env)
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
