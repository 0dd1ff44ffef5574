"""SQLite lets in one writer at a time: others wait their turn, in one process and in several."""

import subprocess
import sys
import threading
import time
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from db.engine import connect
from tests.conftest import ROOT

GREENLETS = """
from gevent import monkey

monkey.patch_all()

import gevent
import sys
from sqlalchemy import text
from db.engine import connect

block = monkey.get_original("time", "sleep")  # as a slow disk does
database = connect(sys.argv[1])


def write(session):
    session.execute(text("INSERT INTO numbers VALUES (1)"))
    block(0.002)


def request():
    for _ in range(2):
        database.read(lambda session: session.scalar(text("SELECT COUNT(*) FROM numbers")))
        database.write(write)


# The first requests of a process come at once, before it has a connection.
greenlets = [gevent.spawn(request) for _ in range(200)]
gevent.joinall(greenlets, timeout=50)
sys.exit(sum(not one.successful() for one in greenlets))
"""


def test_two_hundred_requests_of_a_gevent_worker_all_get_through(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    database = connect(url)
    database.write(lambda session: session.execute(text("CREATE TABLE numbers (number)")))
    child = [sys.executable, "-c", GREENLETS, url]
    ended = subprocess.run(child, cwd=ROOT, timeout=60, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert (
        database.read(lambda session: session.scalar(text("SELECT COUNT(*) FROM numbers"))) == 400
    )
    database.engine.dispose()


SLOW_FILES = """
from gevent import monkey

monkey.patch_all()

import gevent
import sys
from sqlalchemy import text
from db import native_threads
from db.engine import connect

database = connect(sys.argv[1])
disk = native_threads.new_lock()
disk.acquire()


def write_file():
    with disk:
        pass


writers = [native_threads.start(write_file) for _ in range(native_threads.THREADS)]
query = gevent.spawn(database.read, lambda session: session.scalar(text("SELECT 1")))
query.join(timeout=10)
disk.release()
for writer in writers:
    writer.result()
sys.exit(query.value != 1)
"""


def test_a_query_of_a_gevent_worker_does_not_wait_for_files(tmp_path: Path) -> None:
    child = [sys.executable, "-c", SLOW_FILES, f"sqlite:///{tmp_path / 'x.db'}"]
    ended = subprocess.run(child, cwd=ROOT, timeout=60, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-2000:]


def test_a_writer_waits_for_one_of_another_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    database, other = connect(url), connect(url)
    database.write(lambda session: session.execute(text("CREATE TABLE numbers (number)")))
    writing = threading.Event()

    def work_slowly(session: Session) -> None:
        session.execute(text("INSERT INTO numbers VALUES (1)"))
        writing.set()
        time.sleep(2)

    thread = threading.Thread(target=other.write, args=(work_slowly,))
    thread.start()
    assert writing.wait(5)
    database.write(lambda session: session.execute(text("INSERT INTO numbers VALUES (2)")))
    thread.join()
    assert (
        database.read(lambda session: session.scalar(text("SELECT SUM(number) FROM numbers"))) == 3
    )
    for each in (database, other):
        each.engine.dispose()
