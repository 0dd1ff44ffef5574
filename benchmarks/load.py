"""Load with wrk: byte ranges at random offsets of one file, asked for by one viewer or many."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.processes import cpu_seconds, memory_bytes

_SCRIPT = Path(__file__).with_name("ranges.lua")
_HEAD_LIMIT = 2000  # bytes of an answer that are not the range
_SLOW = 4  # seconds for what answers a few times in one


class LoadError(Exception):
    """What came back is not what was asked for, so its figures would mean nothing."""


@dataclass(frozen=True)
class Target:
    """What is put under load.

    :ivar pids: the processes that serve it.
    :ivar viewers: a line of headers for each, with tabs between them; none for a target that asks
        nobody.
    :ivar slow: measured once, and not in each round.
    """

    name: str
    url: str
    pids: tuple[int, ...]
    viewers: tuple[str, ...] = ()
    slow: bool = False


@dataclass(frozen=True)
class Load:
    """One kind of load. `length` 0 asks for the whole answer; `wait` is in milliseconds."""

    length: int
    file_size: int
    connections: int
    seconds: int
    wait: int = 0

    def fits(self, count: int, received: float) -> bool:
        """Tell whether so many bytes are so many whole ranges, and those that the end cut short."""
        least = count * self.length
        return least <= received < least + count * _HEAD_LIMIT + self.connections * self.length


@dataclass(frozen=True)
class Figures:
    """What one run showed: per second, times in ms, processor time in s, memory in bytes."""

    requests: float
    bytes: float
    p50: float
    p99: float
    cpu_per_request: float
    cpu_per_gib: float
    memory: float


def measure(target: Target, load: Load) -> Figures:
    """Run one load on one target.

    :raises LoadError: an answer was refused, broken, or of another length.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as viewers:
        viewers.writelines(f"{viewer}\n" for viewer in target.viewers)
        viewers.flush()
        command = ["wrk", "--threads", "1", "--connections", str(load.connections)]
        command += ["--duration", f"{load.seconds}s", "--timeout", "30s", "--script", str(_SCRIPT)]
        arguments = [load.length, load.file_size, viewers.name, load.wait]
        command += [target.url, "--", *map(str, arguments)]
        env = dict(os.environ) | ({"RANGES_WAIT": "1"} if load.wait else {})
        before = cpu_seconds(target.pids)
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
        used = cpu_seconds(target.pids) - before
        memory = memory_bytes(target.pids)
    if done.returncode:
        raise LoadError(f"{target.name}: wrk: {done.stdout}{done.stderr}")
    said = json.loads(done.stdout.splitlines()[-1])
    count = said["requests"]
    if said["refused"] or said["broken"] or not count:
        raise LoadError(f"{target.name}: {said}")
    if load.length and not load.fits(count, said["bytes"]):
        raise LoadError(f"{target.name} did not send ranges of {load.length} bytes: {said}")
    total = count * load.length
    return Figures(
        requests=count / said["seconds"],
        bytes=total / said["seconds"],
        p50=said["p50"],
        p99=said["p99"],
        cpu_per_request=used / count,
        cpu_per_gib=used / total * 2**30 if total else 0.0,
        memory=memory,
    )


class Rounds:
    """The same load on several targets in turn, again and again, so that a drift hits all alike."""

    def __init__(self, targets: Sequence[Target], load: Load, *, rounds: int) -> None:
        self.load = load
        self.runs: dict[str, list[Figures]] = {target.name: [] for target in targets}
        for number in range(rounds):
            # Everybody has every place in the turn and, in six rounds of three, every predecessor.
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
