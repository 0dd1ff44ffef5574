"""What the watch page offers beside a video."""

import re
from datetime import UTC, datetime

import pytest

from db.models import Visibility
from tests.conftest import Client

from .conftest import Put


def offered(page: str) -> list[str]:
    """Return the addresses of the videos beside the player, in their order."""
    return re.findall(r'<h3>\s*<a href="/stream/([^"]+)"', page)


@pytest.fixture
def days(put: Put) -> list[str]:
    """Return videos of Alice's for all members, of three days; the first is the oldest."""
    return [
        put(visibility=Visibility.MEMBERS, created_at=datetime(2026, 1, day, tzinfo=UTC))
        for day in (1, 2, 3)
    ]


def test_more_of_the_owners_videos_go_back_in_time_and_then_to_the_latest(
    days: list[str], bob: Client
) -> None:
    first, second, third = days
    page = bob.get(f"/stream/{second}").text
    assert offered(page) == [first, third]
    assert f'data-next="/stream/{first}"' in page
    assert "More from <bdi>alice</bdi>" in page


def test_only_what_one_may_watch_is_offered(
    days: list[str], put: Put, bob: Client, nobody: Client
) -> None:
    private, public = put(), put(visibility=Visibility.PUBLIC)
    page = bob.get(f"/stream/{days[0]}").text
    assert private not in page
    assert set(offered(page)) == {public, *days[1:]}
    assert offered(nobody.get(f"/stream/{public}").text) == []


def test_the_owner_is_offered_their_own_but_no_rejected_one(put: Put, alice: Client) -> None:
    video, other = put(), put()
    put(rejection_reason="It is no video.")
    page = alice.get(f"/stream/{video}").text
    assert offered(page) == [other]
    assert "More of your videos" in page
