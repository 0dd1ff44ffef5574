"""A running Matinee to speak HTTP to: the embedded one, or the Compose stack."""

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Protocol

import requests

from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
FAR = "2099-01-01 00:00:00.000000"  # when a job may begin that is not to begin at all
WRITER = Path(__file__).with_name("writer.py")


class Origin(Protocol):
    """Somewhere that Matinee runs."""

    url: str
    other_urls: tuple[str, ...]
    hold_new_jobs: str  # the body of a trigger of this database

    def start(self) -> None:
        """Start it with empty stores, or go on with those that are there; return when ready."""

    def stop(self) -> None:
        """Stop it as an operator would; what is stored stays."""

    def remove(self) -> None:
        """Stop it and throw everything away."""

    def memory(self) -> dict[str, int]:
        """Return the memory that each part uses, in bytes, by its name."""

    def upload_memory(self) -> dict[str, int]:
        """Return the memory that each process which receives uploads uses, in bytes."""

    def bytes_read(self) -> int:
        """Return how many bytes the processes that deliver have read so far."""

    def incoming(self) -> list[str]:
        """Return the names of unfinished uploads' files."""

    def kill_uploads(self) -> None:
        """`kill -9` whatever receives uploads."""

    def writers_end(self, upload: str) -> "subprocess.Popen[str]":
        """Start `tests/system/writer.py` beside the upload service."""

    def digest_of_incoming(self, upload: str, count: int) -> str:
        """Return the SHA-256 of the first so many bytes of an upload's file; "" if it has none."""

    def without_session_store(self) -> AbstractContextManager[None]:
        """Take the session store away for a while."""

    def change_row(self, statement: str) -> None:
        """Run a statement of SQL without double quotes, for what no request can bring about."""


@contextmanager
def without_processing(origin: Origin, *, resume: bool = False) -> Iterator[None]:
    """Process no videos for a while.

    :param resume: whether those that were uploaded meanwhile are processed afterwards.
    """
    origin.change_row(f"CREATE TRIGGER without_processing {origin.hold_new_jobs}")
    try:
        yield
    finally:
        origin.change_row("DROP TRIGGER without_processing")
        change = "UPDATE jobs SET not_before = NULL" if resume else "DELETE FROM jobs"
        origin.change_row(f"{change} WHERE not_before = '{FAR}'")


def run_piped(command: list[str]) -> "subprocess.Popen[str]":
    """Start a program to speak with."""
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def answers(url: str) -> bool:
    """Tell whether the log-in page is served there."""
    try:
        return requests.get(f"{url}/login", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def below(pid: int) -> dict[int, str]:
    """Return the processes below one, by their ids, with their command lines."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text(encoding="utf-8")
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry.name)] = (int(status.rpartition(")")[2].split()[1]), command)
    family = {pid}
    while more := {each for each, (parent, _) in parents.items() if parent in family} - family:
        family |= more
    return {each: parents[each][1] for each in family - {pid}}


# What the command lines of standalone's parts hold.
UPLOAD, STREAMING, FRONT = "upload_service.app", "streaming_service.app", "caddy run"


class Standalone:
    """`python -m standalone` with a data folder and ports of its own.

    :cvar launcher: a command that runs it, such as one that first gives it a disk of its own.
    """

    launcher: tuple[str, ...] = ()
    hold_new_jobs = (
        f"AFTER INSERT ON jobs BEGIN UPDATE jobs SET not_before = '{FAR}' WHERE id = NEW.id; END"
    )

    def __init__(self, data_dir: Path, ports: list[int], **settings: str) -> None:
        self.data_dir = data_dir
        self.url, *others = (f"http://127.0.0.1:{port}" for port in ports)
        self.other_urls = tuple(others)
        joined = ",".join(map(str, ports))
        self._environ = {**os.environ, **settings, "DATA_DIR": str(data_dir), "PORTS": joined}
        self._process: subprocess.Popen[str] | None = None

    @property
    def volume(self) -> Path:
        """The folder of videos."""
        return self.data_dir / "videos"

    def start(self) -> None:
        """Start it, and return when it says that it is ready."""
        self._process = subprocess.Popen(
            [*self.launcher, sys.executable, "-m", "standalone"],
            cwd=ROOT,
            env=self._environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        said = ""
        for line in self._process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        else:
            self._process.stdout.close()
            self._process.wait()
            log = self.data_dir / "matinee.log"
            tail = log.read_text(encoding="utf-8")[-3000:] if log.exists() else ""
            raise AssertionError(f"it did not start: {said}\n{tail}")
        threading.Thread(target=self._process.stdout.read, daemon=True).start()

    def stop(self) -> None:
        """Send what Ctrl-C sends, and wait."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        assert self._process.wait(40) == 0
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None

    def remove(self) -> None:
        """Stop it; the folder is the test run's temporary one."""
        self.stop()

    def children(self) -> dict[int, str]:
        """Return the processes below the supervisor, by their ids, with their command lines."""
        assert self._process is not None
        return below(self._process.pid)

    def memory(self) -> dict[str, int]:
        """Return the resident memory of each process."""
        return {f"{pid} {command[:40]}": _resident(pid) for pid, command in self.children().items()}

    def upload_memory(self) -> dict[str, int]:
        """Return the resident memory of each."""
        return {
            str(pid): _resident(pid)
            for pid, command in self.children().items()
            if UPLOAD in command
        }

    def bytes_read(self) -> int:
        """Return what the front server and the streaming service have read so far."""
        return sum(
            int(Path(f"/proc/{pid}/io").read_text(encoding="ascii").split()[1])
            for pid, command in self.children().items()
            if STREAMING in command or FRONT in command
        )

    def incoming(self) -> list[str]:
        """Return the names of unfinished uploads' files."""
        return [path.name for path in (self.volume / "incoming").glob("*")]  # if it is there yet

    def command(self, *arguments: str, given: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the Matinee that runs, with something on its standard input."""
        return subprocess.run(
            [sys.executable, "-m", "standalone", *arguments],
            cwd=ROOT,
            env=self._environ,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )

    def kill(self, part: str, number: signal.Signals = signal.SIGKILL) -> set[int]:
        """Send a signal to every process below the supervisor whose command line names the part.

        :returns: their ids.
        """
        found = {pid for pid, command in self.children().items() if part in command}
        for pid in found:
            os.kill(pid, number)
        return found

    def kill_uploads(self) -> None:
        """`kill -9` the upload service."""
        self.kill(UPLOAD)

    def writers_end(self, upload: str) -> "subprocess.Popen[str]":
        """Run it on this machine, on our own processes only."""
        processes = [str(pid) for pid, command in self.children().items() if UPLOAD in command]
        return run_piped([sys.executable, "-ISc", WRITER.read_text("utf-8"), upload, *processes])

    def digest_of_incoming(self, upload: str, count: int) -> str:
        """Read the file."""
        try:
            with (self.volume / "incoming" / upload).open("rb") as file:
                content = file.read(count)
        except FileNotFoundError:
            return ""
        assert len(content) == count
        return hashlib.sha256(content).hexdigest()

    def change_row(self, statement: str) -> None:
        """Run it beside the services, which wait for each other."""
        with (
            closing(sqlite3.connect(self.data_dir / "matinee.db", timeout=10)) as database,
            database,
        ):
            database.execute(statement)

    @contextmanager
    def without_session_store(self) -> Iterator[None]:
        """Hold the session store still: one that is killed would be back at once."""
        self.kill("valkey-server", signal.SIGSTOP)
        try:
            yield
        finally:
            self.kill("valkey-server", signal.SIGCONT)


class Compose:
    """The whole stack under a project name and ports of its own."""

    hold_new_jobs = f"BEFORE INSERT ON jobs FOR EACH ROW SET NEW.not_before = '{FAR}'"

    def __init__(self, project: str, ports: list[int], **settings: str) -> None:
        self.project = project
        self.url, *others = (f"http://127.0.0.1:{port}" for port in ports)
        self.other_urls = tuple(others)
        numbered = {f"PORT_{number}": str(port) for number, port in enumerate(ports, 1)}
        self._environ = {**os.environ, **numbered, **settings}

    def compose(self, *arguments: str) -> str:
        """Run `docker compose` on this project, and return what it prints."""
        done = subprocess.run(
            ["docker", "compose", "--project-name", self.project, *arguments],
            cwd=ROOT,
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"docker compose {arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def build(self) -> None:
        """Build the images."""
        self.compose("build", "--quiet")

    def start(self) -> None:
        """Bring the stack up, and return when everything is healthy and the site answers."""
        try:
            self.compose("up", "--detach", "--wait", "--quiet-pull")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}") from error
        wait_until(lambda: answers(self.url), within=30, what="the log-in page")

    def stop(self) -> None:
        """Take the containers down; volumes stay."""
        self.compose("down")

    def remove(self) -> None:
        """Take everything of the project away, its volumes included."""
        self.compose("down", "--volumes", "--remove-orphans")

    def logs(self, *services: str) -> str:
        """Return what the containers logged."""
        return self.compose("logs", "--no-color", "--tail", "200", *services)

    def containers(self) -> list[dict[str, str]]:
        """Return what `docker compose ps` tells of each container."""
        lines = self.compose("ps", "--all", "--format", "json").splitlines()
        return [json.loads(line) for line in lines if line]

    def container(self, service: str) -> str:
        """Return the id of a service's container."""
        return self.compose("ps", "--all", "--quiet", service).strip()

    def run(self, service: str, *command: str) -> str:
        """Run a command in a service's container, and return what it prints."""
        return self.compose("exec", "--no-TTY", service, *command)

    def memory(self) -> dict[str, int]:
        """Return the anonymous memory of each container, without the kernel's copies of files."""
        found = {}
        for service in ("auth", "upload", "janitor", "streaming", "gateway", "redis", "mysql"):
            # The first is where control groups of version 2 tell it, the second of version 1.
            places = "/sys/fs/cgroup/memory.stat /sys/fs/cgroup/memory/memory.stat"
            stat = self.run(service, "sh", "-c", f"cat {places} 2>/dev/null || true")
            facts = dict(line.split() for line in stat.splitlines())
            found[service] = int(facts.get("anon") or facts["total_rss"])
        return found

    def upload_memory(self) -> dict[str, int]:
        """Return the anonymous memory of each."""
        # One of the processes is the shell that looks, and is gone before it is looked at.
        look = "grep -H ^Anonymous: /proc/[0-9]*/smaps_rollup 2>/dev/null || true"
        lines = (line.split() for line in self.run("upload", "sh", "-c", look).splitlines())
        return {line[0].split("/")[2]: int(line[-2]) << 10 for line in lines}

    def bytes_read(self) -> int:
        """Return what the gateway's and the streaming service's processes have read so far."""
        told = "".join(
            self.run(service, "sh", "-c", "cat /proc/[0-9]*/io 2>/dev/null || true")
            for service in ("gateway", "streaming")
        )
        return sum(int(line.split()[1]) for line in told.splitlines() if line.startswith("rchar"))

    def incoming(self) -> list[str]:
        """Return the names of unfinished uploads' files."""
        return self.run("upload", "ls", "/videos/incoming").split()

    def kill_uploads(self) -> None:
        """`kill -9` the upload service's container, and start it again."""
        self.compose("kill", "--signal", "SIGKILL", "upload")
        self.compose("start", "upload")

    def writers_end(self, upload: str) -> "subprocess.Popen[str]":
        """Run it in the service's container, where nothing else runs."""
        command = ["docker", "exec", "--interactive", self.container("upload")]
        return run_piped([*command, "python", "-ISc", WRITER.read_text("utf-8"), upload])

    def digest_of_incoming(self, upload: str, count: int) -> str:
        """Let the container read the file."""
        file = f"/videos/incoming/{upload}"
        told = self.run(
            "upload", "sh", "-c", f"! test -f {file} || head -c {count} {file} | sha256sum"
        )
        return told.split()[0] if told else ""

    def change_row(self, statement: str) -> None:
        """Let MySQL's own client run it."""
        client = f'mysql -uroot -p"$(cat $MYSQL_ROOT_PASSWORD_FILE)" matinee -e "{statement}"'
        self.run("mysql", "sh", "-c", client)

    @contextmanager
    def without_session_store(self) -> Iterator[None]:
        """Stop Redis, and start it again."""
        self.compose("stop", "redis")
        try:
            yield
        finally:
            self.compose("start", "redis")
