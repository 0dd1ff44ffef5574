"""The matrix of sharing over HTTP, in front of a running Matinee.

It speaks HTTP and knows nothing of the packages. `test_sharing_in_process` tries every cell. Here
media are tried in every way to share, and other addresses with a person and with a link; what
changes something where it must be refused, and once where it is granted.
"""

from collections.abc import Iterator

import pytest

from tests import media
from tests.permissions.matrix_client import TITLE
from tests.permissions.sharing_client import SharingClient, is_tried
from tests.permissions.sharing_matrix import (
    Asker,
    Level,
    SharedCell,
    Validity,
    Way,
    cells,
)
from tests.system.deployment import Origin
from tests.system.http_client import Person

pytestmark = pytest.mark.needs_ffmpeg


@pytest.fixture(scope="module")
def video_bytes() -> bytes:
    """A second of moving pictures."""
    return media.one_second()


@pytest.fixture(scope="module")
def client(origin: Origin, administrator: Person, video_bytes: bytes) -> Iterator[SharingClient]:
    """Everybody and everything, in a running Matinee."""
    cookie = "; ".join(f"{one.name}={one.value}" for one in administrator.cookies)
    client = SharingClient(origin.url, {"Cookie": cookie}, video_bytes)
    yield client
    client.close()


# Those who edit get the same media as those who download.
STEPS = [(level, validity) for level in (Level.WATCH, Level.DOWNLOAD) for validity in Validity]
STEPS.append((Level.SHARE, Validity.NEVER_ENDS))


@pytest.mark.parametrize(("level", "validity"), STEPS)
def test_every_cell(
    client: SharingClient, video_bytes: bytes, level: Level, validity: Validity
) -> None:
    wrong: list[str] = []
    with client.shared(level, validity) as sharings:
        before = client.described()
        for sharing in sharings:
            for cell in filter(is_tried, cells(sharing)):
                if cell.is_safe or not cell.is_granted:
                    wrong += complaints_about(client, cell, video_bytes)
        assert client.described() == before, "something that was refused has been done"
    assert not wrong, "\n".join(wrong)


def complaints_about(
    client: SharingClient, cell: SharedCell, video_bytes: bytes, *, friend: str | None = None
) -> Iterator[str]:
    """Send a request, and say what is wrong with the answer."""
    answer = client.send(cell, friend=friend)
    if answer.status_code != cell.expected():
        yield f"{cell}: {answer.status_code} in place of {cell.expected()}"
    if not cell.is_granted and (TITLE in answer.text or video_bytes[-100:] in answer.content):
        yield f"{cell}: it tells of the video"


@pytest.mark.parametrize("way", [Way.USER, Way.COLLECTION_GROUP])
def test_what_is_granted_is_done(client: SharingClient, video_bytes: bytes, way: Way) -> None:
    """Each kind of change once. It comes last, since it changes what the others look at."""
    wrong: list[str] = []
    with client.shared(Level.SHARE, Validity.NEVER_ENDS) as sharings:
        [sharing] = [sharing for sharing in sharings if sharing.way is way]
        for cell in cells(sharing):
            if cell.asker is not Asker.NAMED or cell.is_safe or not cell.is_granted:
                continue
            friend = client.new_person() if "grants" in cell.route.pattern else None
            wrong += complaints_about(client, cell, video_bytes, friend=friend)
            client.put_item()
            if cell.route.pattern.endswith("<grant>/remove"):
                client.renew_grant(way)
    assert not wrong, "\n".join(wrong)
