"""What a command is, and how it ends."""

import argparse
import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


class ExitCode(enum.IntEnum):
    """The exit codes of `matinee`; docs/operations.md lists them.

    argparse ends with `USAGE` by itself.
    """

    DONE = 0
    REFUSED = 1
    USAGE = 2
    WRONG_SETTING = 3
    STORE_UNAVAILABLE = 4


class CommandRefused(Exception):
    """The command cannot be carried out, or found that something is wrong.

    :param sentence: what, for people.
    :param data: more of it as values of JSON, for `--json`.
    """

    def __init__(self, sentence: str, data: Mapping[str, object] | None = None) -> None:
        super().__init__(sentence)
        self.data = data or {}


@dataclass(frozen=True)
class Result:
    """What a command has done.

    :ivar sentence: for people.
    :ivar data: the same as values of JSON, for `--json`.
    """

    sentence: str
    data: Mapping[str, object]


def add_command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], Result], *, summary: str
) -> argparse.ArgumentParser:
    """Add a command, and return its parser, to which its own arguments are added.

    :param commands: what `add_subparsers` has returned.
    :param run: carries it out. It may raise what `cli.__main__` knows the exit code of.
    """
    parser: argparse.ArgumentParser = commands.add_parser(name, help=summary)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)
    return parser
