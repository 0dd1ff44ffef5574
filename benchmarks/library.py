"""How long the library takes with 10,000 videos: on the server, and in the page."""

import re
import statistics
import time
from collections.abc import Callable
from functools import partial
from html import unescape
from typing import TypeVar

from playwright.sync_api import Page

from benchmarks import library_world
from benchmarks.account import Account
from benchmarks.browser import chromium, signed_in
from benchmarks.options import Bench
from benchmarks.report import table
from benchmarks.sites import Site, standalone
from db.engine import connect

T = TypeVar("T")

_PAGES = 20  # that are scrolled through
_SELECTED = 200  # videos that are changed at once
_REPEATS = 15  # of a request, times the rounds
_HEAD = ("on the server", "median", "longest")
_AIM = 200  # milliseconds on the server
_AIM_IN_PAGE = 100  # milliseconds of one task in the page
_MORE = re.compile(r'href="([^"]*)"\s+rel="next"')
_SOME_ID = re.compile(r'name="video"\s+value="([^"]{22})"')
_REQUESTS = {
    "the library, with its rows and the count": "/stream",
    "a page of it, as it is scrolled": "/stream?part=cards",
    "sorted by title": "/stream?sort=title",
    "sorted by when one watched": "/stream?sort=watched",
    "filtered by tag and length": "/stream?tag=tag7&length=medium",
    "shared with one": "/stream?whose=shared",
    "a search for two words": "/stream?q=ete+harb",
    "a search for one letter": "/stream?q=a",
    "suggestions for a search": "/api/videos/suggestions?q=har",
}
_WATCH_TASKS = """
    window.longest = 0;
    new PerformanceObserver((list) => {
        const times = list.getEntries().map((entry) => entry.duration);
        window.longest = Math.max(window.longest, ...times);
    }).observe({ type: 'longtask', buffered: true });
"""


def run(bench: Bench) -> str:
    """Measure, and return the section."""
    folder = bench.folder("library") / "site"
    scale = bench.options.scale
    with standalone(folder) as site:
        database = connect(f"sqlite:///{folder / 'data' / 'matinee.db'}")
        library_world.fill(database, scale=scale)
        database.engine.dispose()
        server = _measure_server(site, _REPEATS * bench.options.rounds)
        page = _measure_page(site)
    counts = (library_world.VIDEOS, library_world.PEOPLE, library_world.GROUPS)
    videos, people, groups = (f"{count // scale:,}" for count in counts)
    grants = f"{library_world.GRANTS // scale:,}"
    return (
        f"{videos} videos, {people} people, {groups} groups and {grants} grants, `make run`, one"
        " request at a time; the person who asks owns a tenth of the videos, and sees about half."
        f" The aim is {_AIM} ms for each request. In the page, what counts is the longest task of"
        f" the browser, during which it answers to nothing; the aim is {_AIM_IN_PAGE} ms."
        f" Chromium, without a graphics card.\n\n"
        f"{table(_HEAD, server)}"
        f"\n\n{table(('in the page', 'longest task'), page)}"
    )


def _measure_server(site: Site, repeats: int) -> list[tuple[str, ...]]:
    account = site.admin
    rows = []
    for name, path in _REQUESTS.items():
        account.get(path)
        rows.append(_row(name, [_timed(partial(account.get, path))[0] for _ in range(repeats)]))
    path, times = "/stream", []
    for _ in range(_PAGES):
        taken, answer = _timed(partial(account.get, path))
        times.append(taken)
        found = _MORE.search(answer.text)
        if found is None:
            break
        path = f"{unescape(found[1])}&part=cards"
    rows.append(_row(f"{_PAGES} pages one after the other, each", times))
    collection = account.post("/api/collections", json={"title": "Moved"}).json()["id"]
    own = account.get("/stream?whose=mine&part=cards&count=480").text
    mine = _SOME_ID.findall(own)[:_SELECTED]
    changes = {
        "into a collection": {"do": "collection", "collection": collection},
        "with a new tag": {"do": "tag", "tag": "moved"},
        "into the bin": {"do": "delete"},
        "out of the bin": {"do": "restore"},
    }
    for name, fields in changes.items():
        taken, _ = _timed(partial(_change, account, mine, **fields))
        rows.append(_row(f"{len(mine)} videos {name}", [taken]))
    return rows


def _timed(request: Callable[[], T]) -> tuple[float, T]:
    """Send a request; return how many milliseconds it took, and the answer."""
    began = time.perf_counter()
    answer = request()
    return 1000 * (time.perf_counter() - began), answer


def _row(name: str, times: list[float]) -> tuple[str, ...]:
    return name, f"{statistics.median(times):.0f} ms", f"{max(times):.0f} ms"


def _change(account: Account, ids: list[str], **fields: str) -> None:
    headers = {"Accept": "application/json"}
    body = [*fields.items(), *(("video", video_id) for video_id in ids)]
    answer = account.post("/stream/selection", data=body, headers=headers).json()
    if len(answer["changed"]) != len(ids):
        raise RuntimeError(f"{fields['do']}: {len(answer['changed'])} of {len(ids)}")


def _measure_page(site: Site) -> list[tuple[str, str]]:
    with chromium() as browser, signed_in(browser, site, (1440, 900)) as page:
        # The videos have no files: what is measured is the page.
        page.route(re.compile(r"\.(jpg|vtt)(\?|$)"), lambda route: route.abort())
        page.add_init_script(_WATCH_TASKS)
        found = _use(page)
    return [(what, f"{longest:.0f} ms" if longest else "below 50 ms") for what, longest in found]


def _use(page: Page) -> list[tuple[str, float]]:
    cards = page.locator("#library .video-card")
    found = []

    def done(what: str) -> None:
        page.wait_for_timeout(200)
        found.append((what, float(page.evaluate("window.longest"))))
        page.evaluate("window.longest = 0")

    page.goto("/stream?whose=mine", wait_until="networkidle")
    done("opening the library")
    while cards.count() < 24 * _PAGES and page.locator("[data-more], .skeleton-card").count():
        page.mouse.wheel(0, 1500)
        page.wait_for_timeout(50)
    done(f"scrolling until there are {cards.count()} cards")
    page.locator("[data-select]").first.click()
    page.locator("#selection-all").click()
    done(f"selecting {_SELECTED}")
    page.locator('#selection button[value="delete"]').click()
    page.locator(".toast").first.wait_for()
    done("moving them to the bin")
    page.locator(".toast button").first.click()
    page.wait_for_load_state("networkidle")
    done("taking them back")
    return found
