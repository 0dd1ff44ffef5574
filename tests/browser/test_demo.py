"""Every page of the demonstration works and stands still while it loads."""

from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

from demo.catalogue import PASSWORD
from demo.fill import Demo
from tests.browser.conftest import watch_console

pytestmark = pytest.mark.front_end

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
PLACES = ["/stream", "/stream/shared", "/collections", "/groups", "/account", "/stream/bin"]
OF_AN_ADMINISTRATOR = ["/upload", "/admin", "/account/links", "/stream/failed", "/stream/audit"]
# The sum of how far things moved without anybody having done anything (Layout Instability API).
SHIFTED = """() => new Promise((done) => {
    let sum = 0;
    new PerformanceObserver((list) => {
        for (const one of list.getEntries()) sum += one.hadRecentInput ? 0 : one.value;
    }).observe({ type: "layout-shift", buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum))));
})"""
MOST = 0.02


def sign_in(context: BrowserContext, name: str) -> None:
    answer = context.request.post(
        "/login",
        form={"username": name, "password": PASSWORD},
        headers={"Sec-Fetch-Site": "same-origin"},
        max_redirects=0,
    )
    assert answer.status == 303


@pytest.mark.parametrize(("name", "size"), [("anna", DESKTOP), ("emma", PHONE)])
def test_every_page_works_and_stands_still(
    chromium: Browser, demo: Demo, name: str, size: Any
) -> None:
    complaints: list[str] = []
    moved = {}
    context = chromium.new_context(base_url=demo.url, viewport=size, reduced_motion="reduce")
    sign_in(context, name)
    page = context.new_page()
    watch_console(page, complaints)
    paths = [*PLACES, *(f"/collections/{one}" for one in demo.collections.values())]
    paths += [f"/stream/{video}" for video in demo.videos.values()]
    for path in paths + (OF_AN_ADMINISTRATOR if name == "anna" else []):
        answer = page.goto(path)
        assert answer is not None
        if answer.status == 404:  # what this person may not see
            continue
        assert answer.status == 200, path
        page.wait_for_load_state("load")
        moved[path] = page.evaluate(SHIFTED)
    context.close()
    assert complaints == []
    assert {path: sum_ for path, sum_ in moved.items() if sum_ >= MOST} == {}
    assert len(moved) > len(PLACES)
