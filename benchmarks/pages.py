"""How soon the pages of the demonstration are there, and how much they move while they load."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Page

from benchmarks.options import Bench
from benchmarks.report import table
from demo.pictures import DESKTOP, PHONE
from demo.screenshots import Site, demo_site

_SIGNED_OUT = {"sign in": "/login", "create an account": "/register", "not found": "/nowhere"}
_SIGNED_IN = {
    "library": "/stream",
    "library, a search": "/stream?q=choir",
    "watch": "/stream/{video}",
    "edit": "/stream/{video}/edit",
    "shared": "/stream/shared",
    "collections": "/collections",
    "a collection": "/collections/{collection}",
    "upload": "/upload",
    "account": "/account",
    "groups": "/groups",
    "links": "/account/links",
    "bin": "/stream/bin",
    "overview": "/admin",
    "people": "/admin/users",
    "site settings": "/admin/settings",
    "processing errors": "/stream/failed",
    "audit log": "/stream/audit",
}
_VIDEO, _COLLECTION = "Regatta, from the jetty", "For new members"
_AIMS = "The aims: 1.0 s, 0.02, and 250 kB on the watch page."

# The Largest Contentful Paint and Layout Instability APIs, and what scripts weigh as they are sent.
_FIGURES = """() => new Promise((done) => {
    let paint = 0;
    let moved = 0;
    new PerformanceObserver((list) => {
        for (const one of list.getEntries()) paint = Math.max(paint, one.startTime);
    }).observe({ type: "largest-contentful-paint", buffered: true });
    new PerformanceObserver((list) => {
        for (const one of list.getEntries()) moved += one.hadRecentInput ? 0 : one.value;
    }).observe({ type: "layout-shift", buffered: true });
    const files = performance.getEntriesByType("resource");
    const scripts = files.filter((one) => one.name.endsWith(".js"));
    const bytes = scripts.reduce((sum, one) => sum + one.encodedBodySize, 0);
    requestAnimationFrame(() => setTimeout(() => done([paint / 1000, moved, bytes])));
})"""


@dataclass
class _Figures:
    """What was measured of one page on one display, a number for each round."""

    paint: list[float] = field(default_factory=list)
    moved: list[float] = field(default_factory=list)
    scripts: list[int] = field(default_factory=list)


def run(bench: Bench) -> str:
    """Measure, and return the section."""
    rows = []
    with demo_site() as site:
        for who, places in (("", _SIGNED_OUT), ("anna", _SIGNED_IN)):
            for name, path in places.items():
                wide = _measure(site, who, path, DESKTOP, bench.options.rounds)
                narrow = _measure(site, who, path, PHONE, bench.options.rounds)
                rows.append(_row(name, wide, narrow))
                print(f"  {rows[-1]}", flush=True)
    return "\n\n".join(
        [
            "Seconds to the largest contentful paint in a new browser profile, on a desktop"
            " (1280 x 800) and a phone (390 x 844), not throttled; the sum of layout shifts, the"
            " larger of the two; and kB of scripts as they are sent, before anything is pressed."
            f" Medians of {bench.options.rounds}, on the demonstration site. {_AIMS}",
            table(["page", "desktop, s", "phone, s", "shift", "scripts, kB"], rows),
        ]
    )


def _measure(site: Site, who: str, path: str, size: tuple[int, int], rounds: int) -> _Figures:
    address = path.format(video=site.videos[_VIDEO], collection=site.collections[_COLLECTION])
    figures = _Figures()
    for _ in range(rounds):
        with site.visit(who, size) as page:
            paint, moved, scripts = _visit(page, address)
        figures.paint.append(paint)
        figures.moved.append(moved)
        figures.scripts.append(int(scripts))
    return figures


def _visit(page: Page, address: str) -> tuple[float, float, float]:
    page.goto(address, wait_until="networkidle")
    paint, moved, scripts = page.evaluate(_FIGURES)
    return paint, moved, scripts


def _row(name: str, wide: _Figures, narrow: _Figures) -> list[str]:
    median: Callable[[list[float]], float] = statistics.median
    moved = max(median(wide.moved), median(narrow.moved))
    return [
        name,
        f"{median(wide.paint):.2f}",
        f"{median(narrow.paint):.2f}",
        f"{moved:.3f}",
        f"{max(wide.scripts) / 1000:.0f}",
    ]
