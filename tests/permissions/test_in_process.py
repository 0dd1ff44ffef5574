"""The whole matrix, cell by cell, in one process.

Every row, session and file is looked at: refusals, and whatever only reads, have changed nothing,
and what was granted has been done, so that the look is worth something.
"""

from itertools import groupby

import pytest
from werkzeug.test import Client, TestResponse

from tests.permissions.matrix import (
    MEDIA,
    METHODS,
    OPEN_PAGE,
    OUR_SITE,
    ROUTES,
    SIGNED_IN,
    Caller,
    Cell,
    Route,
    State,
    cells,
    everybody,
    watchers,
)
from tests.permissions.matrix_state import TITLE, VIDEO_BYTES, MatrixState

INSIDE = [route for route in ROUTES if route.is_inside]
# An inside address that every service has leads to one of them at most.
ADDRESSES = list({route.pattern: route for route in ROUTES}.values())

Face = tuple[object, ...]


@pytest.mark.parametrize("route", ADDRESSES, ids=lambda route: route.pattern)
def test_every_cell_from_outside(world: MatrixState, route: Route) -> None:
    wrong, done = [], 0
    faces: dict[tuple[Caller, str], dict[State, Face]] = {}
    for _, group in groupby(cells(route), key=lambda cell: (cell.state, cell.caller)):
        reading, changing = [], []
        for cell in group:
            (changing if cell.is_granted and not cell.is_safe else reading).append(cell)
        for cell in reading:
            answer = world.send(cell)
            wrong += complaints_about(cell, answer)
            if cell.state is not None and tells_nothing(cell, cell.state):
                seen = faces.setdefault((cell.caller, cell.method), {})
                seen[cell.state] = face(world, cell, answer)
        if world.dump() != world.beginning:
            wrong.append(f"one of these changed something: {', '.join(map(str, reading))}")
            world.rebuild()
        for cell in changing:
            wrong += complaints_about(cell, world.send(cell))
            if world.dump() != world.beginning:
                done += 1
                world.rebuild()
            elif must_change(cell):
                wrong.append(f"{cell}: it changed nothing")
    for who, seen in faces.items():
        # What is not yours looks like what is not there.
        shows = [state for state, one in seen.items() if one != seen[State.MISSING]]
        wrong += [f"{who} can tell that a video is {state.value}" for state in shows]
    assert not wrong, "\n".join(wrong)
    # The strength of a password is only measured, and the look is kept in a cookie.
    reads = set(route.grants) == {"GET"} or route.pattern in ("/api/passwords", "/account/theme")
    assert done or route.is_inside or reads, "nobody changed anything, so nothing was tried"


def complaints_about(cell: Cell, answer: TestResponse) -> list[str]:
    """Say what is wrong with an answer itself."""
    found = []
    if answer.status_code != cell.expected():
        found.append(f"{cell}: {answer.status_code} in place of {cell.expected()}")
    if not cell.is_granted and (TITLE in answer.text or VIDEO_BYTES[-100:] in answer.data):
        found.append(f"{cell}: it tells of the video")
    return found


def must_change(cell: Cell) -> bool:
    """Tell whether this, if granted, does something whatever was before: signing out does not."""
    grant = cell.route.grants.get(cell.method)
    return grant is not None and grant.who is not everybody


def tells_nothing(cell: Cell, state: State) -> bool:
    """Tell whether the answer must be that for a video that is not there."""
    if cell.site != OUR_SITE or not cell.route.looks(cell.method):
        return False
    return cell.expected() in (401, 403, 404) or cell.caller not in watchers(state)


def face(world: MatrixState, cell: Cell, answer: TestResponse) -> Face:
    """Return all that a client sees, without what differs between any two answers."""
    own = world.path(cell).split("/")

    def plain(text: str) -> str:
        for part in own:
            if len(part) == 22:
                text = text.replace(part, "<video>")
        return text

    headers = sorted((k, plain(v)) for k, v in answer.headers if k != "X-Request-Id")
    headers = [(k, v) for k, v in headers if k != "Content-Length"]
    return answer.status_code, headers, plain(answer.text)


@pytest.mark.parametrize("pattern", ["/logout", "/login", "/register"])
def test_another_site_cannot_end_a_session_by_adding_a_token(
    world: MatrixState, pattern: str
) -> None:
    """What looks at the cookie is not excused by a token, which is nobody's here."""
    other_site = {"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer nobodys"}
    answer = world.send(Cell(line(pattern), "POST", Caller.OWNER, None, other_site))
    assert answer.status_code == 403
    assert world.dump() == world.beginning


@pytest.mark.parametrize("caller", Caller)
def test_the_list_holds_what_its_reader_may_watch(world: MatrixState, caller: Caller) -> None:
    answer = world.send(Cell(line("/api/videos"), "GET", caller, None, OUR_SITE))
    if caller not in SIGNED_IN:
        assert answer.status_code == 401
        return
    listed = {video["id"] for video in answer.json["videos"]}
    for state in State:
        path = world.path(watching(caller, state))
        is_listed = (
            caller in watchers(state) and state is not State.BINNED
        )  # which has its own list
        assert (path.removeprefix("/stream/") in listed) == is_listed, state


@pytest.mark.parametrize("route", [r for r in INSIDE if r.grants is OPEN_PAGE], ids=str)
def test_the_inside_needs_no_account(world: MatrixState, route: Route) -> None:
    service = Client(world.site.apps[route.service], use_cookies=False)
    assert service.get(route.pattern).status_code == 200


# --- what the front server is told ----------------------------------------------------------------


@pytest.fixture
def behind(world: MatrixState) -> Client:
    """The streaming service as a front server meets it."""
    return Client(world.site.apps["streaming"], use_cookies=False)


def line(pattern: str) -> Route:
    """Return the table's line for an address."""
    [route] = [route for route in ROUTES if route.pattern == pattern]
    return route


def watching(caller: Caller, state: State) -> Cell:
    """Return the request for a watch page."""
    return Cell(line("/stream/<video>"), "GET", caller, state, OUR_SITE)


def ask(
    world: MatrixState,
    behind: Client,
    caller: Caller,
    state: State,
    name: str = "video.mp4",
    **options: object,
) -> int:
    """Ask as a front server does for somebody who wants a video's file."""
    path = world.path(watching(caller, state))
    headers = {"X-Video": path.removeprefix("/stream/"), "X-Media-Name": name}
    if caller is Caller.BEARER:
        headers["X-Bearer"] = world.credentials(caller)["Authorization"]
    elif caller is not Caller.NOBODY:
        headers["X-Session-Token"] = world.token(caller)
    return behind.open("/internal/authorise", headers=headers, **options).status_code


@pytest.mark.parametrize("state", State)
def test_the_front_server_is_told_who_may_watch(
    world: MatrixState, behind: Client, state: State
) -> None:
    for caller in Caller:
        no = 403 if caller in SIGNED_IN else 401
        expected = 204 if caller in watchers(state) else no
        for method in METHODS:
            for _ in range(2):  # from the database, then from the cache
                assert ask(world, behind, caller, state, method=method) == expected, (
                    caller,
                    method,
                )
    assert world.dump() == world.beginning


@pytest.mark.parametrize("name", MEDIA)
def test_the_front_server_is_told_of_every_file(
    world: MatrixState, behind: Client, name: str
) -> None:
    for state in State:
        for caller in Caller:
            no = 403 if caller in SIGNED_IN else 401
            expected = 204 if caller in MEDIA[name]["GET"].who(state) else no
            asked = name.replace("<rendition>", "480p")
            assert ask(world, behind, caller, state, asked) == expected, (caller, state)


def test_the_service_itself_sends_no_bytes(world: MatrixState, behind: Client) -> None:
    for name in MEDIA:
        # Whose a video is makes no difference: the service has no such address.
        for cell in cells(line(f"/stream/<video>/{name}")):
            if cell.state is not State.PUBLIC:
                continue
            answer = world.send(cell, behind)
            is_cross_site = cell.site != OUR_SITE and not cell.is_safe
            refused = is_cross_site and cell.caller is not Caller.BEARER
            assert answer.status_code == (403 if refused else 404), cell
            assert VIDEO_BYTES[-100:] not in answer.data
