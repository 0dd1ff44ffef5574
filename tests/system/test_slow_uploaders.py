"""A thousand people on bad lines: everybody else's pages and uploads go on.

How quickly is measured by `make bench-slow-uploaders`, as a ratio.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.system.deployment import Compose
from tests.system.http_client import PASSWORD, Person, sign_up
from tests.system.slow_clients import UPLOADS_EACH, SlowUploaders
from tests.system.tus import Tus
from tests.waiting import wait_until

pytestmark = [pytest.mark.compose_only, pytest.mark.needs_ffmpeg]

COUNT = 1000
GROWTH_LIMIT = 128 << 10  # bytes of memory that each of them may take


@pytest.fixture
def slow_people(origin: Compose, administrator: Person) -> Iterator[list[Person]]:
    """The owners of what comes slowly; the accounts go with their uploads."""
    names = [f"slow{number}" for number in range(-(-COUNT // UPLOADS_EACH))]
    with ExitStack() as stack:
        people = [stack.enter_context(sign_up(origin.url, name)) for name in names]
        yield people
        for person in people:
            assert person.post("/account/delete", data={"password": PASSWORD}).status_code == 303


def test_a_thousand_slow_uploaders_keep_nobody_out(
    origin: Compose, alice: Person, bob: Person, slow_people: list[Person], video_file: Path
) -> None:
    content = video_file.read_bytes()
    before = origin.memory()
    with SlowUploaders(slow_people, COUNT) as slow:
        while slow.rounds < 3:
            assert bob.get("/stream").status_code == 200
            assert bob.get("/account").status_code == 200
            assert alice.get("/upload").status_code == 200
            answer = Tus(alice).create(len(content), content)
            assert answer.status == 201, (answer, slow.rounds)
            video = alice.upload(video_file)
            for one in (video, answer.headers["Upload-Video"].removeprefix("/stream/")):
                assert alice.get(f"/stream/{one}/video.mp4").content == content
                assert alice.delete(f"/api/videos/{one}?permanently=1").status_code == 204
        grown = origin.memory()["upload"] - before["upload"]
        assert slow.lost == []
        # What they sent has arrived, and is kept for when they are gone.
        standing = slow.standing()[:: COUNT // 20]
    for tus, where, sent in standing:
        wait_until(partial(_has_arrived, tus, where, sent))
    print(f"the upload service took {grown / COUNT / 1024:.0f} KiB for each")  # noqa: T201 (what it came to)
    assert grown < COUNT * GROWTH_LIMIT


def _has_arrived(tus: Tus, where: str, sent: int) -> bool:
    return tus.offset(where) >= sent
