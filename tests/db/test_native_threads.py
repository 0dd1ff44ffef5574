"""Native threads under gevent."""

import subprocess
import sys

NESTED = """
from gevent import monkey
monkey.patch_all()
from db.native_threads import Pool, run
print(run(lambda: run(lambda: "done", pool=Pool.DATABASE), pool=Pool.DATABASE))
"""


def test_work_in_a_native_thread_may_ask_for_more() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", NESTED], capture_output=True, text=True, check=False, timeout=60
    )
    assert answer.stdout == "done\n", answer.stderr


CONTEXT = """
from gevent import monkey
monkey.patch_all()
from contextvars import ContextVar
from db.native_threads import run
language = ContextVar("language", default="en")
language.set("de")
print(run(language.get))
"""


def test_work_in_a_native_thread_knows_the_context_of_its_caller() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", CONTEXT], capture_output=True, text=True, check=False, timeout=60
    )
    assert answer.stdout == "de\n", answer.stderr
