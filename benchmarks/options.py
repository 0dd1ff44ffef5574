"""What each benchmark is given: how large and how long, and what to measure."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.processes import docker_works
from benchmarks.sites import ComposeSite, Site, compose, standalone
from benchmarks.test_video import write_test_video
from benchmarks.wrk import Load, Rounds, Target

WITHOUT_COMPOSE = "Not measured: the Compose stack was not there."


@dataclass(frozen=True)
class Options:
    """How much is measured.

    :ivar size: bytes of the large video.
    :ivar rounds: how often each figure is measured.
    :ivar seconds: of one load on one target.
    :ivar scale: how much smaller the crowds of clients are than those of the aims.
    :ivar revocations: rounds for each way to revoke access.
    :ivar minutes: of the videos that are prepared.
    """

    size: int
    rounds: int
    seconds: int
    scale: int
    revocations: int
    minutes: tuple[int, ...]

    def compare(self, targets: Sequence[Target], length: int, connections: int) -> Rounds:
        """Request ranges of the large video from several targets, in turns.

        :param length: bytes of a range; 0 requests the whole answer.
        """
        load = Load(length, self.size, connections, self.seconds)
        return Rounds(targets, load, rounds=self.rounds)


class Bench:
    """The options, the large video, and the sites, which start when they are first asked for.

    :param stack: ends what was started.
    :param folder: an empty one.
    :param with_compose: whether the Compose stack is measured too.
    """

    def __init__(
        self, options: Options, stack: ExitStack, folder: Path, *, with_compose: bool
    ) -> None:
        self.options = options
        self._stack = stack
        self._folder = folder
        self.with_compose = with_compose

    def folder(self, name: str) -> Path:
        """Return a new folder for one benchmark."""
        path = self._folder / name
        path.mkdir()
        return path

    @cached_property
    def video(self) -> Path:
        """A valid MP4 of `options.size` bytes."""
        return self.video_of(self.options.size)

    def video_of(self, size: int) -> Path:
        """Return a valid MP4 of `size` bytes."""
        path = self._folder / f"video-{size}.mp4"
        if not path.exists():
            write_test_video(path, size)
        return path

    @cached_property
    def standalone(self) -> Site:
        """Matinee without containers."""
        return self._stack.enter_context(standalone(self._folder / "data"))

    @cached_property
    def gateway(self) -> ComposeSite | None:
        """The Compose stack, if it is to be measured and there is a Docker."""
        if not self.with_compose or not docker_works():
            return None
        return self._stack.enter_context(compose())

    def sites(self) -> list[Site]:
        """Return what there is to measure."""
        return [self.standalone, *([self.gateway] if self.gateway else [])]
