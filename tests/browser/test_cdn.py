"""A film whose segments come from a CDN: another origin, to which this site redirects."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route

from common.web.templating import content_policy
from tests.browser.player import Player
from tests.fake_service import FakeService, Reply, Seen
from tests.system.deployment import Origin
from tests.system.http_client import Person


@pytest.fixture
def cdn(administrator: Person, origin: Origin) -> Iterator[FakeService]:
    """A CDN at `/signed/<path here>` that answers only what docs/cdn.md asks for."""
    service = FakeService("cdn")

    def reply(seen: Seen) -> Reply:
        wanted = {"Range": seen.header("Range") or ""}
        found = administrator.get(seen.path.removeprefix("/signed"), headers=wanted)
        kept = {name: found.headers[name] for name in ("Content-Type", "Content-Range")}
        headers = {
            **kept,
            "Access-Control-Allow-Origin": origin.url,
            "Access-Control-Expose-Headers": "Content-Range, Content-Length",
        }
        return Reply(found.status_code, headers, found.content)

    service.reply = reply
    yield service
    service.close()


def test_segments_come_from_the_cdn_which_learns_nothing_of_the_viewer(
    page: Page, origin: Origin, finished: str, cdn: FakeService
) -> None:
    """The front server's redirect and the page's policy are as `CDN_URL` makes them.

    The policy is the service's own. `tests/gateway/test_cdn.py` has the front server.
    """
    address = f"http://127.0.0.1:{cdn.port}"
    segments: list[str] = []

    def allow(route: Route) -> None:
        found = route.fetch()
        policy = content_policy(media_origins=address)
        route.fulfill(response=found, headers={**found.headers, "content-security-policy": policy})

    def redirect(route: Route) -> None:
        path = route.request.url.removeprefix(origin.url)
        segments.append(path)
        headers = {"Location": f"{address}/signed{path}", "Cache-Control": "no-store"}
        route.fulfill(status=307, headers=headers)

    # A page that a test answers has no address, so that Chromium asks before it reads from here.
    page.context.grant_permissions(["local-network-access"])
    page.route(re.compile(rf"/stream/{finished}$"), allow)
    page.route(re.compile(rf"^{origin.url}/stream/{finished}/hls/[^/]+\.mp4$"), redirect)
    Player(page).open(finished).play()

    assert segments
    assert {seen.path for seen in cdn.seen} == {f"/signed{path}" for path in segments}
    for seen in cdn.seen:
        assert seen.method == "GET"  # nothing is asked beforehand
        assert re.fullmatch(r"bytes=\d+-\d+", seen.header("Range") or "")
        assert seen.header("Origin") == origin.url
        assert [seen.header(name) for name in ("Cookie", "Authorization", "Referer")] == [None] * 3
