"""A container that is replaced: addresses lead nowhere for a moment, and no request fails."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.conftest import free_ports
from tests.fake_service import FakeService, Reply, Seen
from tests.waiting import wait_until

from .harness import ALICE, BYTES, MEDIA, VIDEO, Gateway, allow_only, running

pytestmark = pytest.mark.needs_nginx


@contextmanager
def silent_listener() -> Iterator[socket.socket]:
    """Neither take nor refuse connections, as at the address of a container that is gone."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):  # more than it queues
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener


@pytest.fixture(scope="module")
def silent() -> Iterator[int]:
    """A port where connections are neither taken nor refused."""
    with silent_listener() as listener:
        yield listener.getsockname()[1]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, silent: int) -> Iterator[Gateway]:
    """A gateway in front of three of each service: one gone, one not ready, one that answers."""
    gateway = Gateway(tmp_path_factory.mktemp("gateway"))
    gateway.render({})
    upstreams = gateway.folder / "etc/conf.d/upstreams.conf"
    [closed] = free_ports(1)
    others = "".join(f"server 127.0.0.1:{port} max_fails=0; " for port in (silent, closed))
    upstreams.write_text(upstreams.read_text().replace("{ ", f"{{ {others}"))
    gateway.streaming.reply = allow_only(ALICE)
    gateway.start()
    yield gateway
    gateway.stop()


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/login"), ("GET", "/upload"), ("PATCH", "/upload/files/a")],
)
def test_a_container_that_is_replaced_costs_no_request(
    gateway: Gateway, method: str, path: str
) -> None:
    body = b"some bytes" if method != "GET" else None
    # They are asked in turn, each by one of three requests first.
    answers = [gateway.ask(path, method=method, body=body, token=ALICE) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 200]


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway in front of one of each service, which has no other to ask."""
    with running(tmp_path_factory.mktemp("single")) as gateway:
        gateway.put_video(VIDEO)
        yield gateway


def break_off_first(service: FakeService) -> None:
    """Have a service close the connection of the next request, and answer those after it."""
    reply = allow_only(ALICE)
    broken: list[Seen] = []

    def answer(seen: Seen) -> Reply:
        if not broken:
            broken.append(seen)
            raise ConnectionResetError
        return reply(seen)

    service.reply = answer


@pytest.mark.parametrize("path", [MEDIA, "/login", "/stream", "/upload"])
def test_what_got_no_answer_is_asked_once_more(single: Gateway, path: str) -> None:
    for service in single.services.values():
        break_off_first(service)

    answer = single.ask(path, token=ALICE)

    assert answer.status == 200
    if path == MEDIA:
        assert answer.body == BYTES


def test_what_changes_something_is_not_asked_again(single: Gateway) -> None:
    upload = single.services["upload"]
    break_off_first(upload)
    before = len(upload.seen)

    assert single.ask("/upload/files/a", method="PATCH", body=b"some", token=ALICE).status == 503

    assert len(upload.seen) == before + 1


def test_what_reached_nobody_is_asked_once_more(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The only server takes no connections, until nginx has given one up."""
    gateway = Gateway(tmp_path_factory.mktemp("gateway"))
    gateway.render({})
    with ExitStack() as stack:
        stack.callback(gateway.stop)
        silent = stack.enter_context(silent_listener())
        gateway.use_services({"auth": silent.getsockname()[1]})
        gateway.start()
        pool = stack.enter_context(ThreadPoolExecutor())
        stack.callback(silent.shutdown, socket.SHUT_RDWR)
        asked = pool.submit(gateway.ask, "/login")

        wait_until(lambda: "upstream timed out" in gateway.errors(), what="a connection given up")
        pool.submit(answer_all, silent)

        assert asked.result().status == 200


def answer_all(listener: socket.socket) -> None:
    """Answer every request, until the listener is shut down."""
    with ExitStack() as taken, suppress(OSError):
        while True:
            connection = taken.enter_context(listener.accept()[0])
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
