"""Containers of a test run's own: started on free ports, and removed by their id."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

_PATIENCE = 90  # seconds for MySQL to initialise an empty volume


def docker(*arguments: str) -> str:
    """Run a docker command and return what it prints."""
    done = subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@contextmanager
def mysql() -> Iterator[str]:
    """Run an empty MySQL of the version that Compose runs, and yield its URL (as root)."""
    options = ["--env", "MYSQL_ROOT_PASSWORD=root", "--env", "MYSQL_DATABASE=matinee"]
    options += ["--publish", "127.0.0.1:0:3306", "--tmpfs", "/var/lib/mysql"]
    container = docker("run", "--rm", "--detach", *options, "mysql:9.7")
    try:
        ports = json.loads(docker("inspect", container))[0]["NetworkSettings"]["Ports"]
        url = f"mysql+pymysql://root:root@127.0.0.1:{ports['3306/tcp'][0]['HostPort']}/matinee"
        _wait_for(url)
        yield url
    finally:
        docker("kill", container)


def _wait_for(url: str) -> None:
    engine = create_engine(url, connect_args={"connect_timeout": 1})
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            engine.connect().close()
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            engine.dispose()
            return
