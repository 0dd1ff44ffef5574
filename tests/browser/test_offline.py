"""Without a network: a page of ours in place of the browser's, and nothing kept of anybody's."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import sign_in_as
from tests.system.deployment import Origin
from tests.system.http_client import Person

pytestmark = pytest.mark.front_end

# Pages, media and answers of the API would be what somebody may no longer see.
KEPT = """async () => {
    const paths = [];
    for (const name of await caches.keys()) {
        for (const request of await (await caches.open(name)).keys()) {
            paths.push(new URL(request.url).pathname);
        }
    }
    return paths;
}"""


def test_a_page_that_says_so(chromium: Browser, origin: Origin, administrator: Person) -> None:
    with chromium.new_context(base_url=origin.url) as context:
        context.set_default_timeout(15_000)
        page = sign_in_as(administrator, context, url=origin.url)
        page.goto("/stream")
        page.evaluate("async () => { await navigator.serviceWorker.ready }")
        page.wait_for_function("() => navigator.serviceWorker.controller !== null")
        page.goto("/account")

        context.set_offline(True)
        expect(page.locator("#offline-banner")).to_be_visible()
        page.goto("/stream")

        expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
        kept = page.evaluate(KEPT)
        assert "/offline" in kept
        assert [
            path for path in kept if path != "/offline" and not path.startswith("/static/")
        ] == []

        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
        context.set_offline(False)  # the page notices by itself

        expect(page.get_by_role("heading", name="Library")).to_be_visible(timeout=15_000)
