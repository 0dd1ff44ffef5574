"""The gateway's questions over real connections, as gunicorn's worker takes them."""

import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse

import pytest

from db.models import Visibility

from .servers import Server, behind_gateway
from .stock import fill

FILM = "AAAAAAAAAAAAAAAAAAAAA0"


class House:
    """The service, a private video, and tokens of its owner and of somebody else."""

    def __init__(self, server: Server, video: str, tokens: dict[str, str]) -> None:
        self.server = server
        self.video = video
        self.tokens = tokens

    def connect(self) -> socket.socket:
        """Open a connection to the service."""
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=10)

    def question(self, name: str = "alice", more: str = "", *, video: str = "") -> bytes:
        """Return what the gateway sends."""
        return (
            "GET /internal/authorise HTTP/1.1\r\nHost: gateway\r\n"
            f"X-Request-Id: {'a' * 32}\r\nX-Session-Token: {self.tokens[name]}\r\n"
            f"X-Video: {video or self.video}\r\nX-Media-Name: video.mp4\r\n{more}\r\n"
        ).encode()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[House]:
    """Run the service with stores of this module's own."""
    folder = tmp_path_factory.mktemp("house")
    stock = fill(folder, redis_url, contents=[b""], visibility=Visibility.PRIVATE)
    with behind_gateway(folder, environment=stock.environment) as server:
        yield House(server, stock.videos[0], stock.tokens)


def read(connection: socket.socket) -> HTTPResponse:
    """Read one answer."""
    answer = HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer


def test_one_connection_takes_many_questions(house: House) -> None:
    with house.connect() as connection:
        for name, status in [("alice", 204), ("bob", 403)] * 20:
            connection.sendall(house.question(name))
            answer = read(connection)
            assert answer.status == status
            place = f"{house.video}/original.mp4" if status == 204 else None
            assert answer.headers["X-Media-Path"] == place


def test_an_answer_is_to_whoever_asked(house: House) -> None:
    """Many ask at once, and what Redis holds for them is fetched together."""

    def ask(number: int) -> bool:
        name = ("alice", "bob")[number % 2]
        video = (house.video, FILM)[number // 2 % 2]
        expected = 204 if (name, video) == ("alice", house.video) else 403
        with house.connect() as connection:
            for _ in range(50):
                connection.sendall(house.question(name, video=video))
                if read(connection).status != expected:
                    return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(16)))


@pytest.mark.parametrize(
    "more",
    [
        "Accept: */*\r\n",
        "Connection: keep-alive\r\n",
        "X-Video: other\r\n",
        "Content-Length: 0\r\n",
    ],
)
def test_a_question_with_other_headers_goes_the_long_way(house: House, more: str) -> None:
    with house.connect() as connection:
        connection.sendall(house.question())
        assert read(connection).status == 204
        connection.sendall(house.question(more=more))
        # Of a header that comes twice, gunicorn makes one value, which is no id.
        assert read(connection).status == (403 if "X-Video" in more else 204)


def test_pages_and_questions_share_a_connection(house: House) -> None:
    page = b"GET /stream HTTP/1.1\r\nHost: matinee\r\n\r\n"
    with house.connect() as connection:
        for sent, status in [(house.question(), 204), (page, 303), (house.question("bob"), 403)]:
            connection.sendall(sent)
            assert read(connection).status == status


def test_a_question_in_pieces_is_answered(house: House) -> None:
    sent = house.question()
    with house.connect() as connection:
        for at in range(0, len(sent), 40):
            connection.sendall(sent[at : at + 40])
        assert read(connection).status == 204


def test_two_questions_at_once_get_two_answers(house: House) -> None:
    with house.connect() as connection:
        connection.sendall(house.question() + house.question("bob"))
        stream = connection.makefile("rb")
        heads = b""
        while heads.count(b"\r\n\r\n") < 2:
            heads += stream.readline()
        assert [line.split()[1] for line in heads.split(b"\r\n") if b"HTTP/1.1" in line] == [
            b"204",
            b"403",
        ]


def test_a_head_without_an_end_is_not_a_question(house: House) -> None:
    with house.connect() as connection:
        connection.sendall(house.question(more=f"X-Bearer: {'a' * 9000}\r\n"))
        assert read(connection).status == 431


def test_a_stopping_worker_lets_go_of_connections(house: House) -> None:
    """Those of the gateway stay open for a minute between two questions."""
    [worker] = house.server.workers()
    with house.connect() as connection:
        connection.sendall(house.question())
        assert read(connection).status == 204
        os.kill(worker, signal.SIGTERM)
        assert connection.recv(1) == b""
