"""`docs/benchmarks.md`: one section for each benchmark, replaced when that benchmark has run."""

import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.processes import find_nginx

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"

_TITLE = """# Benchmarks

Written by `make bench`. What is compared ran on one machine in one run, in turns (A, B, A, B), and
shared that machine with the program that makes the load. Only the ratios mean something on another
machine, so they come first. A ratio is the median of the ratios of the rounds; the other figures
are medians of the rounds.
"""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, its first column left and the others right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def ratio(value: float) -> str:
    """Return a ratio in as many digits as mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def write_section(name: str, text: str, *, known: Iterable[str], page: Path) -> None:
    """Put a section into the page, in place of the one with its name.

    :param known: the names of all sections, in their order.
    """
    sections = _sections(page)
    facts = f"_{datetime.now(UTC):%Y-%m-%d %H:%M} UTC. {_machine()}_"
    sections[name] = f"{facts}\n\n{text.strip()}\n"
    parts = [f"## {name}\n\n{sections[name]}" for name in known if name in sections]
    page.write_text("\n".join([_TITLE, *parts]), encoding="utf-8")


def _sections(page: Path) -> dict[str, str]:
    if not page.exists():
        return {}
    parts = re.split(r"^## (.+)\n\n", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], (part.rstrip() + "\n" for part in parts[2::2]), strict=True))


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    facts = [
        f"{os.cpu_count()} cores ({_processor()})",
        f"{memory:.0f} GiB of memory",
        f"Linux {platform.release()}",
        f"Python {platform.python_version()}",
        f"nginx {_nginx_version()} here",
    ]
    load = f"load average at the end of the run, its own load included: {os.getloadavg()[0]:.1f}"
    return f"{', '.join(facts)}; {load}."


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _nginx_version() -> str:
    program = find_nginx()
    if program is None:
        return "none"
    done = subprocess.run([program, "-v"], capture_output=True, text=True, check=False)
    return done.stderr.strip().rpartition("/")[2]
