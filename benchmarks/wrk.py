"""Load made with wrk: ranges at random offsets of one file, requested by one viewer or many."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.processes import cpu_seconds

_SCRIPT = Path(__file__).with_name("ranges.lua")
_HEAD_LIMIT = 2000  # bytes of an answer that are not the range
_SLOW = 4  # seconds for what answers a few times in one


class LoadError(Exception):
    """The answers were not what was requested, so the figures would mean nothing."""


@dataclass(frozen=True)
class Target:
    """What is put under load.

    :ivar pids: the processes that serve it; their processor time is measured.
    :ivar viewers: headers of each viewer, with tabs between them; none for a target without any.
    :ivar slow: measured once, not in each round.
    """

    name: str
    url: str
    pids: tuple[int, ...]
    viewers: tuple[str, ...] = ()
    slow: bool = False


@dataclass(frozen=True)
class Load:
    """One kind of load.

    :ivar length: bytes of a range; 0 requests the whole answer.
    """

    length: int
    file_size: int
    connections: int
    seconds: int

    @property
    def range(self) -> str:
        """How long a range is, in words."""
        kib = self.length >> 10
        return f"{kib >> 10} MiB" if kib >= 1024 else f"{kib} KiB"

    def fits(self, count: int, received: float) -> bool:
        """Tell whether so many bytes are so many ranges, and those under way at the end."""
        smallest = count * self.length
        largest = smallest + count * _HEAD_LIMIT + self.connections * self.length
        return smallest <= received < largest


@dataclass(frozen=True)
class Figures:
    """Results of one run: per second, times in milliseconds, processor time in seconds."""

    requests: float
    bytes: float
    p50: float
    p99: float
    cpu_per_request: float


def measure(target: Target, load: Load) -> Figures:
    """Run one load on one target.

    :raises LoadError: an answer was refused, broken, or of another length.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as viewers:
        viewers.writelines(f"{viewer}\n" for viewer in target.viewers)
        viewers.flush()
        command = ["wrk", "--threads", "1", "--connections", str(load.connections)]
        command += ["--duration", f"{load.seconds}s", "--timeout", "30s", "--script", str(_SCRIPT)]
        arguments = [load.length, load.file_size, viewers.name]
        command += [target.url, "--", *map(str, arguments)]
        before = cpu_seconds(target.pids)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        used = cpu_seconds(target.pids) - before
    if done.returncode:
        raise LoadError(f"{target.name}: wrk: {done.stdout}{done.stderr}")
    result = json.loads(done.stdout.splitlines()[-1])
    count = result["requests"]
    if result["refused"] or result["broken"] or not count:
        raise LoadError(f"{target.name}: {result}")
    if load.length and not load.fits(count, result["bytes"]):
        raise LoadError(f"{target.name} did not send ranges of {load.length} bytes: {result}")
    return Figures(
        requests=count / result["seconds"],
        bytes=count * load.length / result["seconds"],
        p50=result["p50"],
        p99=result["p99"],
        cpu_per_request=used / count,
    )


class Rounds:
    """The same load on several targets in turns, so that drift of the machine affects all alike."""

    def __init__(self, targets: Sequence[Target], load: Load, *, rounds: int) -> None:
        self.load = load
        self.runs: dict[str, list[Figures]] = {target.name: [] for target in targets}
        for number in range(rounds):
            # Each target has each place in the turn.
            first = number % len(targets)
            turn = [*targets[first:], *targets[:first]]
            for target in turn[:: -1 if number % 2 else 1]:
                if not target.slow:
                    self.runs[target.name].append(measure(target, load))
                elif number == 0:
                    self.runs[target.name].append(measure(target, replace(load, seconds=_SLOW)))

    def figures(self, name: str) -> Figures:
        """Return the medians of one target."""
        runs = self.runs[name]
        middle = {field: median(getattr(run, field) for run in runs) for field in runs[0].__dict__}
        return Figures(**middle)

    def ratio(self, name: str, peer: str, field: str = "requests") -> float:
        """Return how a target compares with a peer, in the median round."""
        ours, theirs = self.runs[name], self.runs[peer]
        if len(ours) != len(theirs):
            mine, other = self.figures(name), self.figures(peer)
            return float(getattr(mine, field)) / float(getattr(other, field))
        pairs = zip(ours, theirs, strict=True)
        return float(median(getattr(a, field) / (getattr(b, field) or 1e-9) for a, b in pairs))
