"""How long pages take, request by request."""

import http.client
import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException

from benchmarks.form_client import connect

CONNECTIONS = 4
PAUSE = 0.01  # seconds between an answer and the connection's next request
_TIMEOUT = 30  # seconds


def page_times(url: str, pages: Mapping[str, str], *, count: int) -> dict[str, list[float]]:
    """Request each page `count` times, in turn, on a few kept-alive connections.

    :param pages: the cookie that each path is requested with; empty is none.
    :returns: milliseconds of each request, by path; infinite if the answer was not 200.
    """
    found: dict[str, list[float]] = {path: [] for path in pages}

    def work(number: int) -> None:
        connection = connect(url, timeout=_TIMEOUT)
        for _ in range(number, count, CONNECTIONS):
            for path, cookie in pages.items():
                time.sleep(PAUSE)
                found[path].append(_milliseconds(connection, path, cookie))
        connection.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(work, range(CONNECTIONS)))
    return found


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that is at least as large as so many percent of all."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def _milliseconds(connection: HTTPConnection, path: str, cookie: str) -> float:
    began = time.perf_counter()
    try:
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        answer.read()
    except (OSError, HTTPException):
        connection.close()  # the next request opens it again
        return math.inf
    taken = 1000 * (time.perf_counter() - began)
    return taken if answer.status == http.client.OK else math.inf
