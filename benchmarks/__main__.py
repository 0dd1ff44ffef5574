"""Run benchmarks, and write the results to `docs/benchmarks.md`."""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks import (
    delivery,
    library,
    object_store,
    pages,
    processing,
    revocation,
    slow_clients,
    slow_lines,
    upload,
)
from benchmarks.options import Bench, Options
from benchmarks.report import PAGE, write_section

# Each returns its section. One that takes long yields it again and again, longer each time.
_ALL: dict[str, Callable[[Bench], str | Iterator[str]]] = {
    "delivery": delivery.run,
    "object_store": object_store.run,
    "upload": upload.run,
    "slow_clients": slow_clients.run,
    "slow_lines": slow_lines.run,
    "pages": pages.run,
    "library": library.run,
    "revocation": revocation.run,
    "processing": processing.run,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(_ALL)} (all)")
    parser.add_argument("--quick", action="store_true", help="everything small, and one round")
    parser.add_argument("--no-compose", action="store_true", help="without the Compose stack")
    parser.add_argument("--size", type=int, default=1024, help="of the video in MiB (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement (%(default)s)")
    parser.add_argument("--seconds", type=int, default=2, help="of one load (%(default)s)")
    parser.add_argument("--minutes", default="1,20", help="of prepared videos (%(default)s)")
    parser.add_argument("--page", type=Path, default=PAGE, help="to write to (%(default)s)")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(_ALL):
        parser.error(f"there is no {', '.join(unknown)}")
    return arguments


def _options(arguments: argparse.Namespace) -> Options:
    quick = arguments.quick
    minutes = "1" if quick else arguments.minutes
    return Options(
        size=(min(arguments.size, 64) if quick else arguments.size) << 20,
        rounds=1 if quick else arguments.rounds,
        seconds=1 if quick else arguments.seconds,
        scale=10 if quick else 1,
        revocations=2 if quick else 20,
        minutes=tuple(map(int, minutes.split(","))),
    )


def main() -> None:
    """Run what the command line names."""
    arguments = _arguments()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="matinee-bench-")))
        bench = Bench(_options(arguments), stack, folder, with_compose=not arguments.no_compose)
        titles = {name: name.replace("_", " ").capitalize() for name in _ALL}
        for name in arguments.names or _ALL:
            began = time.monotonic()
            print(f"{name} ...", flush=True)
            found = _ALL[name](bench)
            for text in [found] if isinstance(found, str) else found:
                write_section(titles[name], text, known=titles.values(), page=arguments.page)
            print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    print(f"Written to {arguments.page}.")


if __name__ == "__main__":
    main()
