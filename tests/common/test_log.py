"""Lines of the log when several processes write to one output."""

import io
import json

import pytest
import structlog

from common import log


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
    log.configure("info")
    structlog.get_logger().info("step done", job=11)
    [line] = output.writes
    assert line.endswith("\n")
    assert json.loads(line)["event"] == "step done"
