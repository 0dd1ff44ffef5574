"""The transcode service is no web service: its programs load no web framework."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

LOADED = """
import importlib, sys
importlib.import_module(sys.argv[1])
print(sorted({"flask", "jinja2", "werkzeug", "gunicorn"} & set(sys.modules)))
"""


@pytest.mark.parametrize(
    "module",
    [
        "transcode_service.__main__",
        "transcode_service.worker",
        "transcode_service.media.probe_child",
    ],
)
def test_transcode_service_loads_no_flask(module: str) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED, module],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert loaded.stdout.strip() == "[]"
