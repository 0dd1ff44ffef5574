"""What a command is, and how it ends."""

import argparse
import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


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
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """A command of `matinee admin`.

    :ivar name: one word, or the word of a group and that of the command.
    :ivar add_arguments: declares what it takes.
    :ivar run: carries it out. It may raise what `cli.__main__` knows the exit code of.
    """

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], Result]
