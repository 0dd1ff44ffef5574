"""Shows, of the services' log, only what belongs to the request that failed.

A test sends many requests, and each writes log lines to the captured output. For a failing test the
lines of the last request are kept; of the others their number is told.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Shorten the captured output of a failed test."""
    report: Any = yield
    if report.failed:
        report.sections = [(name, of_last_request(text)) for name, text in report.sections]
    return report


def of_last_request(output: str) -> str:
    """Return captured output without the log lines of requests before the last one."""
    lines = output.splitlines(keepends=True)
    requests = [_request_id(line) for line in lines]
    last = next((found for found in reversed(requests) if found), None)
    kept = [line for line, request in zip(lines, requests, strict=True) if request in (None, last)]
    left_out = len(lines) - len(kept)
    note = f"({left_out} log lines of earlier requests are left out)\n" if left_out else ""
    return note + "".join(kept)


def _request_id(line: str) -> str | None:
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    return fields.get("request_id") if isinstance(fields, dict) else None
