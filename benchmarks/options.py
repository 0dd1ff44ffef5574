"""What a benchmark gets: how large and how long, and the sites to measure."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.sites import ComposeSite, Site


@dataclass(frozen=True)
class Options:
    """:ivar size: bytes of the film.
    :ivar seconds: of one run of one load on one target.
    :ivar connections: how many at once, one table row each.
    :ivar viewers: different people, where many are measured.
    :ivar takings: rounds for each way to take access away.
    """

    size: int
    rounds: int
    seconds: int
    connections: tuple[int, ...]
    viewers: int
    takings: int


@dataclass(frozen=True)
class Bench:
    """:ivar folder: empty, and of this benchmark alone.
    :ivar film: a file of `options.size` bytes.
    :ivar stack: None where there is no Docker.
    """

    options: Options
    folder: Path
    film: Path
    alone: Site
    stack: ComposeSite | None


WITHOUT_DOCKER = "Not measured: there is no Docker on this machine."
