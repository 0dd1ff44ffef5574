"""Run benchmarks, and write what they found to `docs/benchmarks.md`."""

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks import delivery, revocation, slow_uploaders, upload
from benchmarks.film import write_film
from benchmarks.options import Bench, Options
from benchmarks.processes import docker_works
from benchmarks.report import PAGE, write_section
from benchmarks.sites import compose, standalone

_ALL = {
    "delivery": delivery.run,
    "upload": upload.run,
    "revocation": revocation.run,
    "slow-uploaders": slow_uploaders.run,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(_ALL)} (all)")
    parser.add_argument("--quick", action="store_true", help="one round, a smaller file")
    parser.add_argument("--size", type=int, default=1024, help="of the film, in MiB (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement (%(default)s)")
    parser.add_argument("--seconds", type=int, default=1, help="of one load (%(default)s)")
    parser.add_argument(
        "--connections", default="1,16", help="with commas between them (%(default)s)"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(_ALL):
        parser.error(f"there is no {', '.join(unknown)}")
    return arguments


def main() -> None:
    """Run what the command line names."""
    arguments = _arguments()
    quick = arguments.quick
    options = Options(
        size=(min(arguments.size, 256) if quick else arguments.size) << 20,
        rounds=1 if quick else arguments.rounds,
        seconds=arguments.seconds,
        connections=tuple(map(int, arguments.connections.split(","))),
        viewers=1000,
        takings=5 if quick else 20,
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="matinee-bench-")))
        film = folder / "film.mp4"
        write_film(film, options.size)
        alone = stack.enter_context(standalone(folder / "data"))
        containers = stack.enter_context(compose()) if docker_works() else None
        for name in arguments.names or _ALL:
            began = time.monotonic()
            print(f"{name} ...", flush=True)
            (folder / name).mkdir()
            bench = Bench(options, folder / name, film, alone, containers)
            write_section(name.replace("-", " ").capitalize(), _ALL[name](bench))
            print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    print(f"Written to {PAGE}.")


if __name__ == "__main__":
    main()
