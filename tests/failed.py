"""Say last which tests failed, and why: `python -m tests.failed REPORT...` (JUnit's XML)."""

import sys
from pathlib import Path
from xml.etree import ElementTree

_LINES = 12  # of what a test says of its failure


def main() -> None:
    """Print each failed test of some reports, with the first lines of its story."""
    for path in map(Path, sys.argv[1:]):
        if not path.is_file():
            say(f"{path} was not written: its tests did not come to their end.")
            continue
        for test in ElementTree.parse(path).iter("testcase"):
            for found in (*test.findall("failure"), *test.findall("error")):
                say(f"\nFAILED {test.get('classname')}::{test.get('name')}")
                say(*(found.get("message") or "").splitlines()[:_LINES])


def say(*lines: str) -> None:
    """Print lines."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()
