"""Programs that a benchmark starts, and the processor time that processes have used."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_START = 20  # seconds a program has to start
_GRACE = 60  # seconds it has to end


def docker(*arguments: str) -> str:
    """Run a Docker command, and return what it prints."""
    done = subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def docker_works() -> bool:
    """Tell whether there is a Docker to talk to."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def find_nginx() -> str | None:
    """Return the path of the machine's nginx, which is not always in the path of programs."""
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the processor time that processes have used so far, in user and kernel mode."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def descendants(pid: int) -> dict[int, str]:
    """Return the processes below one, by their ids, with their command lines."""
    found: dict[int, str] = {}
    for child in _children(pid):
        try:
            command = Path(f"/proc/{child}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        found[child] = command.replace(b"\0", b" ").decode()
        found |= descendants(child)
    return found


def _children(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        lists = [(thread / "children").read_text(encoding="ascii") for thread in threads]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(child) for line in lists for child in line.split()]


def with_descendants(pid: int) -> tuple[int, ...]:
    """Return a process and those below it, but for nginx's cache loader, which soon ends."""
    below = descendants(pid).items()
    return (pid, *(child for child, command in below if "cache loader" not in command))


def pids_in(container: str) -> tuple[int, ...]:
    """Return the processes of a container, as this machine numbers them."""
    return with_descendants(int(docker("inspect", "--format", "{{.State.Pid}}", container)))


def wait_for_descendants(pid: int, count: int) -> None:
    """Wait until a process has started so many others.

    :raises TimeoutError: it has not.
    """
    deadline = time.monotonic() + _START
    while len(with_descendants(pid)) <= count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"process {pid} did not start {count} others")
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for_port(address: str, port: int) -> None:
    """Wait until something listens.

    :raises TimeoutError: nothing does.
    """
    deadline = time.monotonic() + _START
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
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Iterator[int]:
    """Run a program, with its output in a file, until the block ends; yield its id."""
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=env, cwd=cwd)
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
