"""How soon each page of the demonstration is painted, how far it moves, and what it loads."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import StorageState

from benchmarks.browser import count_bytes
from benchmarks.options import Bench
from benchmarks.report import table
from demo.site import Site, demo_site

_SIZES = ((1440, 900), (390, 844))
_OWNER, _ADMINISTRATOR = "ben", "anna"
_FILM, _COLLECTION = "The long way round the lake", "Summer 2026"
_LATE = 500  # milliseconds after the network is idle, in which something may still move
_AIM_PAINT = 1.0  # seconds
_AIM_SHIFT = 0.02
_AIM_SCRIPTS = 250  # kB on the watch page

_HEAD = ("page", "s to the largest paint", "longest", "shift", "requests", "kB", "kB of scripts")
_PAGES = {
    "": {
        "sign-in": "/login",
        "registration": "/register",
        "forgotten password": "/password",
        "help": "/help/",
    },
    _OWNER: {
        "library": "/stream",
        "shared with me": "/stream/shared",
        "collections": "/collections",
        "a collection": "/collections/{collection}",
        "watch": "/stream/{video}",
        "upload": "/upload",
        "edit": "/stream/{video}/edit",
        "access": "/stream/{video}/access",
        "links of a video": "/stream/{video}/links",
        "account": "/account",
        "links": "/account/links",
        "groups": "/groups",
        "bin": "/stream/bin",
        "not found": "/stream/nothing",
    },
    _ADMINISTRATOR: {
        "design": "/design",
        "overview": "/admin",
        "people": "/admin/users",
        "invitations": "/admin/invitations",
        "settings": "/admin/settings",
        "failed steps": "/stream/failed",
        "audit log": "/stream/audit",
    },
}

# The last entry of the paint is the largest. Shifts are added up within windows, as web-vitals
# does: https://web.dev/articles/cls.
_OBSERVE = """
    window.paint = 0;
    window.shift = 0;
    window.moved = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.paint = entry.startTime;
    }).observe({ type: 'largest-contentful-paint', buffered: true });
    let first = 0, last = 0, sum = 0;
    new PerformanceObserver((list) => {
        for (const { startTime, value, hadRecentInput, sources } of list.getEntries()) {
            if (hadRecentInput) continue;
            if (startTime - last > 1000 || startTime - first > 5000) [first, sum] = [startTime, 0];
            [last, sum] = [startTime, sum + value];
            window.shift = Math.max(window.shift, sum);
            window.moved.push(...sources.map(({ node }) => node?.className || node?.nodeName));
        }
    }).observe({ type: 'layout-shift', buffered: true });
"""


@dataclass(frozen=True)
class _Visit:
    """What was seen of a page once.

    :ivar paint: seconds to the largest contentful paint.
    :ivar shift: the cumulative layout shift.
    :ivar moved: the parts that moved.
    :ivar loads: the kind and the bytes, compressed, of each answer.
    """

    paint: float
    shift: float
    moved: frozenset[str]
    loads: list[tuple[str, int]]

    @property
    def scripts(self) -> int:
        return sum(size for kind, size in self.loads if kind == "Script")

    @property
    def total(self) -> int:
        return sum(size for _, size in self.loads)


def run(bench: Bench) -> str:
    """Measure, and return the section."""
    parts = [_introduction(bench.options.rounds)]
    with demo_site() as site:
        states = {name: _sign_in(site, name) for name in _PAGES}
        for size in _SIZES:
            rows = list(_measure(site, states, size, bench.options.rounds))
            parts.append(f"### At {size[0]} x {size[1]}\n\n{table(_HEAD, rows)}")
    return "\n\n".join(parts)


def _introduction(rounds: int) -> str:
    return (
        "Chromium, without a graphics card and with an empty cache, opens each page of the"
        " demonstration (`make demo`) on a line that is not slowed down. Largest contentful paint"
        f" (aim: below {_AIM_PAINT:g} s) and cumulative layout shift (aim: below {_AIM_SHIFT}) as"
        " the browser reports them, until half a second after the network is idle; bytes as they"
        f" are sent. Medians of {rounds} rounds, and the longest; of the shift, the largest."
        f" The scripts of the watch page (aim: {_AIM_SCRIPTS} kB) are those before play."
    )


def _sign_in(site: Site, name: str) -> StorageState | None:
    if not name:
        return None
    with site.visit(name, _SIZES[0]) as page:
        return page.context.storage_state()


def _measure(
    site: Site,
    states: dict[str, StorageState | None],
    size: tuple[int, int],
    rounds: int,
) -> Iterator[tuple[str, ...]]:
    ids = {"video": site.videos[_FILM], "collection": site.collections[_COLLECTION]}
    for who, pages in _PAGES.items():
        for name, path in pages.items():
            address = path.format(**ids)
            visits = [_visit(site, states[who], size, address) for _ in range(rounds)]
            row = _row(name, visits)
            print(f"  {size[0]}: {' | '.join(row)}", flush=True)
            if moved := frozenset[str]().union(*(visit.moved for visit in visits)):
                print(f"    moved: {', '.join(sorted(moved))}", flush=True)
            yield row


def _visit(site: Site, state: StorageState | None, size: tuple[int, int], path: str) -> _Visit:
    with site.browser.new_context(
        base_url=site.url,
        storage_state=state,
        viewport={"width": size[0], "height": size[1]},
        locale="en-GB",
    ) as context:
        page = context.new_page()
        loads = count_bytes(context.new_cdp_session(page))
        page.add_init_script(_OBSERVE)
        page.goto(path, wait_until="networkidle")
        page.wait_for_timeout(_LATE)
        found = page.evaluate("({ paint, shift, moved })")
        moved = frozenset(map(str, found["moved"]))
        return _Visit(found["paint"] / 1000, found["shift"], moved, loads)


def _row(name: str, visits: list[_Visit]) -> tuple[str, ...]:
    paints = [visit.paint for visit in visits]
    return (
        name,
        f"{statistics.median(paints):.2f}",
        f"{max(paints):.2f}",
        f"{max(visit.shift for visit in visits):.3f}",
        f"{statistics.median(len(visit.loads) for visit in visits):.0f}",
        f"{statistics.median(visit.total for visit in visits) / 1000:,.0f}",
        f"{statistics.median(visit.scripts for visit in visits) / 1000:,.0f}",
    )
