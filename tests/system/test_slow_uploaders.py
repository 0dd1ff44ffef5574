"""A thousand people on bad lines: everybody else's pages and uploads go on.

How quickly is measured by `make bench-slow-uploaders`, as a ratio.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.origin import Compose
from tests.system.people import PASSWORD, Person, sign_up
from tests.system.slow import SlowUploaders
from tests.system.tus import Tus
from tests.waiting import wait_until

pytestmark = [pytest.mark.compose_only, pytest.mark.needs_ffmpeg]

COUNT = 1000
GROWTH_LIMIT = 128 << 10  # bytes of memory that each of them may take


@pytest.fixture
def slowpoke(origin: Compose, founder: Person) -> Iterator[Person]:
    """The owner of what comes slowly; the account goes with its uploads."""
    with sign_up(origin.url, "slowpoke") as person:
        yield person
        assert person.post("/account/delete", data={"password": PASSWORD}).status_code == 303


def test_a_thousand_slow_uploaders_keep_nobody_out(
    origin: Compose, alice: Person, bob: Person, slowpoke: Person, film: Path
) -> None:
    content = film.read_bytes()
    before = origin.memory()
    with SlowUploaders(slowpoke, COUNT) as slow:
        while slow.rounds < 3:
            assert bob.get("/stream").status_code == 200
            assert bob.get("/account").status_code == 200
            assert alice.get("/upload").status_code == 200
            answer = Tus(alice).create(len(content), content)
            assert answer.status == 201, (answer, slow.rounds)
            video = alice.upload(film)
            for one in (video, answer.headers["Upload-Video"].removeprefix("/stream/")):
                assert alice.get(f"/stream/{one}/video.mp4").content == content
                assert alice.delete(f"/api/videos/{one}").status_code == 204
        grown = origin.memory()["upload"] - before["upload"]
        assert slow.lost == 0
        # What they sent has arrived, and is kept for when they are gone.
        tus = Tus(slowpoke)
        standing = slow.standing()[:: COUNT // 20]
    for where, sent in standing:
        wait_until(lambda where=where, sent=sent: tus.offset(where) >= sent)  # type: ignore[misc]
    print(f"the upload service took {grown / COUNT / 1024:.0f} KiB for each")  # noqa: T201 (what it came to)
    assert grown < COUNT * GROWTH_LIMIT
