"""Chromium, and pages in it that are signed in."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from benchmarks.sites import Site
from demo.site import FLAGS, find_chromium


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser without a graphics card."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def signed_in(browser: Browser, site: Site, size: tuple[int, int] = (1280, 800)) -> Iterator[Page]:
    """Open a page with an empty cache, signed in as the first account."""
    with browser.new_context(
        base_url=site.url, viewport={"width": size[0], "height": size[1]}
    ) as context:
        name, _, value = site.admin.cookie.partition("=")
        context.add_cookies([{"name": name, "value": value, "url": site.url}])
        yield context.new_page()


def count_bytes(devtools: CDPSession) -> list[tuple[str, int]]:
    """Note the kind and the bytes, compressed, of each answer from now on."""
    kinds: dict[str, str] = {}
    sizes: list[tuple[str, int]] = []
    devtools.send("Network.enable")
    devtools.on("Network.responseReceived", lambda e: kinds.update({e["requestId"]: e["type"]}))
    devtools.on(
        "Network.loadingFinished",
        lambda e: sizes.append((kinds.get(e["requestId"], ""), int(e["encodedDataLength"]))),
    )
    return sizes
