"""The matrix over HTTP, in front of a running Matinee: the embedded one or the Compose stack.

It speaks HTTP and knows nothing of the packages. `test_in_process` tries every cell. Here are those
in which a front server could make a difference: every address, with the methods that it takes and
one that it does not, by each kind of caller; media, which the front server answers, in several
states, and with all methods. One other site stands for all of them, and what was refused is looked
at once for each address.
"""

from collections.abc import Iterator

import pytest

from tests import media
from tests.permissions.matrix import (
    OTHER_SITES,
    OUR_SITE,
    ROUTES,
    Caller,
    Cell,
    Route,
    State,
    cells,
)
from tests.permissions.matrix_client import TITLE, MatrixClient
from tests.system.deployment import Origin
from tests.system.http_client import Person

pytestmark = pytest.mark.usefixtures("without_processing")

# Those of media.
STATES = (None, State.PRIVATE, State.PUBLIC, State.MISSING)
# Signed out, in, and in with a token; with and without a right.
CALLERS = (Caller.NOBODY, Caller.STRANGER, Caller.OWNER, Caller.BEARER, Caller.ADMINISTRATOR)
_CREDENTIALS = {Caller.NOBODY: "none", Caller.BEARER: "token"}
# Who tries the methods that media do not take: first it is asked whether they may watch.
METHOD_TESTERS = (Caller.NOBODY, Caller.STRANGER, Caller.OWNER)
# Those files that are there as soon as a video is.
AT_ONCE = ("/video.mp4", "/download")

ADDRESSES = list({route.pattern: route for route in ROUTES}.values())


@pytest.fixture(scope="module")
def video_bytes() -> bytes:
    """A second of moving pictures."""
    return media.one_second()


@pytest.fixture(scope="module")
def client(origin: Origin, administrator: Person, video_bytes: bytes) -> Iterator[MatrixClient]:
    """Everybody and everything, in a running Matinee."""
    cookie = "; ".join(f"{one.name}={one.value}" for one in administrator.cookies)
    client = MatrixClient(origin.url, {"Cookie": cookie}, video_bytes)
    yield client
    client.close()


def is_tried(cell: Cell) -> bool:
    """Tell whether a cell is tried over HTTP as well as in one process.

    The front server has a part in every answer about media, which it asks the streaming service
    for. Of all else it hands on the method, the path, and what says who asks from where.
    """
    if cell.caller not in CALLERS:
        return False
    if cell.route.is_media and cell.site == OUR_SITE and cell.method in ("GET", "HEAD"):
        return cell.state in STATES
    if cell.state not in (None, State.PRIVATE):
        return False
    if cell.route.is_media:
        return cell.site == OUR_SITE and cell.caller in METHOD_TESTERS
    if cell.site != OUR_SITE:
        may_enter = Caller.OWNER if Caller.OWNER in cell.route.door else Caller.ADMINISTRATOR
        is_forged = cell.caller is may_enter and not cell.is_safe
        return is_forged and cell.method in cell.route.grants
    return cell.method in cell.route.grants or (
        cell.method in ("HEAD", "DELETE") and cell.caller is Caller.OWNER
    )


def once_with_each_credential(granted: list[Cell]) -> list[Cell]:
    """Return one request of our own site's for each method: with a cookie, a token, and neither.

    That is what a front server hands on. Whose they are, the service decides.
    """
    found: dict[tuple[str, str], Cell] = {}
    for cell in granted:
        credential = _CREDENTIALS.get(cell.caller, "cookie")
        if cell.site == OUR_SITE:
            found.setdefault((cell.method, credential), cell)
    return list(found.values())


def allowed(cell: Cell) -> set[int]:
    """Return the statuses that an answer may have.

    The front server may know no inside addresses at all, where a service refuses other sites first.
    """
    expected = {cell.expected()}
    if cell.is_cross_site and cell.route.is_inside:
        expected.add(Cell(cell.route, cell.method, cell.caller, cell.state, OUR_SITE).expected())
    if cell.route.is_media and not cell.route.pattern.endswith(AT_ONCE) and expected & {200, 405}:
        expected.add(404)  # not made yet, for whoever may have it
    return expected


def complaints_about(client: MatrixClient, cell: Cell, video_bytes: bytes) -> Iterator[str]:
    """Send a request, and say what is wrong with the answer."""
    answer = client.send(cell)
    if answer.status_code not in allowed(cell):
        yield f"{cell}: {answer.status_code} in place of {cell.expected()}"
    if not cell.is_granted and (TITLE in answer.text or video_bytes[-100:] in answer.content):
        yield f"{cell}: it tells of the video"


@pytest.mark.parametrize("route", ADDRESSES, ids=lambda route: route.pattern)
def test_every_cell(client: MatrixClient, video_bytes: bytes, route: Route) -> None:
    quiet: list[Cell] = []
    doing: list[Cell] = []
    for cell in filter(is_tried, cells(route, OTHER_SITES[:1])):
        (doing if cell.is_granted and not cell.is_safe else quiet).append(cell)
    client.prepare(route, CALLERS, STATES if route.is_media else (None, State.PRIVATE))
    before = client.own_videos()
    wrong = [
        complaint for cell in quiet for complaint in complaints_about(client, cell, video_bytes)
    ]
    assert client.own_videos() == before, "something that was refused has been done"
    for cell in once_with_each_credential(doing):
        wrong += complaints_about(client, cell, video_bytes)
        client.mend(cell)
    assert not wrong, "\n".join(wrong)
