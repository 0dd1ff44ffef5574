"""Lines of the log when several processes write to one output."""

import io
import json
import os

import pytest
import structlog

from common import logging_setup


class Output(io.StringIO):
    """Remembers each write by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        """Take down what one write held."""
        self.writes.append(text)
        return super().write(text)


def test_a_line_and_its_end_are_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    output = Output()
    monkeypatch.setattr("sys.stdout", output)
    logging_setup.configure_logging("info")
    structlog.get_logger().info("step done", job=11)
    [line] = output.writes
    assert line.endswith("\n")
    assert json.loads(line)["event"] == "step done"


def test_a_line_that_cannot_be_written_is_lost_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    output = os.fdopen(full, "w", encoding="utf-8")
    monkeypatch.setattr("sys.stdout", output)
    logging_setup.configure_logging("info")
    structlog.get_logger().info("step done", job=11)
    with pytest.raises(OSError, match="No space left"):
        output.close()
