"""Faults that an upload must survive, and what must hold after each of them.

Everything that varies is drawn from the dice of its round, so that a seed gives the same run again.
"""

import contextlib
import hashlib
import random
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException

import requests

from tests.media import box, one_second
from tests.system.deployment import Origin
from tests.system.http_client import Person, unless_busy
from tests.system.tus import Answer, Tus, checksum, read_answer, reset
from tests.waiting import wait_until

LEAST, MOST = 1 << 20, 4 << 20  # bytes of a video
PIECE = 1 << 16  # bytes that are sent at once
BACK = 30  # seconds for service to be back; how long it took is reported, not judged


@dataclass
class Tally:
    """What a run of many rounds came to."""

    landed: int = 0
    missed: int = 0
    seconds: list[float] = field(default_factory=list)  # from a fault to the next byte accepted

    def words(self) -> str:
        """Say it in a line."""
        self.seconds.sort()
        middle = self.seconds[len(self.seconds) // 2] if self.seconds else 0
        worst = self.seconds[-1] if self.seconds else 0
        return (
            f"{self.landed} landed, {self.missed} came too late; "
            f"going on took {middle:.2f} s in the middle, {worst:.2f} s at worst"
        )


class Journey:
    """One upload on its way through faults, and what the server has said of it.

    :ivar told: the largest offset that an answer has named; it must never go back.
    :ivar sent: where the bytes end that may have been kept. Those of a request that was cut can
        still be on their way when the next one is answered.
    :ivar patience: seconds for service to be back.
    """

    patience = BACK

    def __init__(
        self, origin: Origin, person: Person, dice: random.Random, *, size: int | None = None
    ) -> None:
        """Announce the upload.

        :param size: of the video, in bytes and about; drawn from the dice unless given.
        """
        self.origin, self.person, self.dice = origin, person, dice
        self.tus = Tus(person)
        # No two pieces are alike: a byte in the wrong place shows. The video is a real one, or a
        # worker would refuse it before its bytes can be compared.
        filling = dice.randbytes(size or dice.randrange(LEAST, MOST))
        self.source = one_second() + box(b"free", filling)
        self.told = self.sent = 0
        self.comparing = 0.0  # seconds that we took to look at files, which no client does
        self.where = self._insist(lambda: self.tus.create(len(self.source))).headers["Location"]
        self.id = self.where.rpartition("/")[2]

    def _insist(self, ask: Callable[[], Answer]) -> Answer:
        """Ask again while service is away; anything else that is not yes is a failure."""
        answers: list[Answer] = []

        def answered() -> bool:
            with contextlib.suppress(OSError, HTTPException):
                answers[:] = [ask()]
            return bool(answers) and answers[0].status not in (502, 503, 504)

        wait_until(
            answered, within=self.patience, what=f"an answer that is not busy, after {answers}"
        )
        assert answers[0].status < 300, answers[0]
        return answers[0]

    def look(self, *, away: bool = False) -> int:
        """Ask for the offset, and hold it and the bytes before it to what was promised.

        :param away: service may be away for a moment; otherwise the first HEAD must be answered.
        """
        answer = self._insist(lambda: self.tus.head(self.where)) if away else self._head()
        offset = int(answer.headers["Upload-Offset"])
        assert offset >= self.told, f"the offset went back from {self.told} to {offset}"
        self.told = offset
        began = time.monotonic()
        kept = self.origin.digest_of_incoming(self.id, offset)
        self.comparing += time.monotonic() - began
        assert kept in ("", hashlib.sha256(self.source[:offset]).hexdigest())
        return offset

    def _head(self) -> Answer:
        answer = self.tus.head(self.where)
        assert answer.status == 200, f"HEAD was answered with {answer.status}"
        return answer

    def go_on(self, until: int, *, away: bool = False) -> float:
        """Send bytes as a client does that asks where it stands, until so many have arrived.

        :returns: seconds until the first of them were taken.
        :raises AssertionError: the upload stayed locked, or service stayed away.
        """
        began = time.monotonic() - self.comparing

        def taken() -> bool:
            offset = self.look(away=away)
            if offset >= until:
                return True
            self.sent = max(self.sent, until)
            try:
                answer = self.tus.patch(self.where, offset, self.source[offset:until])
            except (OSError, HTTPException):
                assert away
                return False
            # 409: bytes of the dead request were still on their way; 423: it still gives way.
            allowed = {204, 409, 423} | ({502, 503, 504} if away else set())
            assert answer.status in allowed, answer
            if answer.status == 204:
                self.told = int(answer.headers["Upload-Offset"])
            return answer.status == 204

        wait_until(taken, within=self.patience, what=f"{self.where} free again")
        return time.monotonic() - began - self.comparing

    def send_checked(self, offset: int, chunk: bytes, headers: dict[str, str]) -> Answer:
        """Send a whole chunk with its digest; it must be taken."""
        return self._insist(lambda: self.tus.patch(self.where, offset, chunk, headers))

    def arrive(self) -> None:
        """Finish, and compare what can be watched with what was sent; then make room."""
        self.finish()
        gone = unless_busy(lambda: self.person.delete(f"/api/videos/{self.id}?permanently=1"))
        assert gone.status_code in (204, 404)  # 404: an answer that was lost had done it

    def finish(self) -> None:
        """Send the rest, and compare what can be watched with what was sent."""
        self.go_on(len(self.source), away=True)

        def is_video() -> bool:
            answer = self._insist(lambda: self.tus.head(self.where))
            return answer.headers["Upload-Video"] == f"/stream/{self.id}"

        wait_until(is_video, within=self.patience, what=f"{self.where} as a video")
        found = hashlib.sha256(self._watched()).digest()
        assert found == hashlib.sha256(self.source).digest()

    def _watched(self) -> bytes:
        """Return what a viewer gets, who asks again while service is away."""
        answers: list[requests.Response] = []

        def answered() -> bool:
            with contextlib.suppress(requests.RequestException):
                answers[:] = [self.person.get(f"/stream/{self.id}/video.mp4")]
            return bool(answers) and answers[0].status_code not in (502, 503, 504)

        wait_until(answered, within=self.patience, what=f"{self.id} to watch")
        assert answers[0].status_code == 200
        return answers[0].content

    def begin(self) -> int:
        """Let some of it arrive undisturbed, and return how much."""
        start = self.dice.choice([0, self.dice.randrange(1, len(self.source) // 2)])
        self.go_on(start)
        return start


def kill_in_a_write(journey: Journey, tally: Tally) -> None:
    """`kill -9` whoever writes the upload, while bytes keep coming."""
    dice, source = journey.dice, journey.source
    start = journey.begin()
    rest = source[start:]
    moment = dice.randrange(PIECE, len(rest) + 1)
    headers = checksum(rest, dice.choice(["sha1", "sha256"])) if dice.random() < 0.3 else {}
    with journey.tus.open_patch(journey.where, start, len(rest), headers) as connection:
        connection.sendall(rest[:PIECE])
        killer = journey.origin.writers_end(journey.id)
        assert killer.stdout is not None
        assert killer.stdout.readline().strip().isdigit()
        finished = _send_on(connection, rest, PIECE, moment, lambda: _tell(killer))
        _, complaint = killer.communicate()
        assert killer.returncode == 0, complaint
        answered = finished and _was_answered(connection)
    journey.look(away=True)
    tally.missed += answered
    tally.landed += not answered
    tally.seconds.append(journey.go_on(len(source), away=True))
    journey.arrive()


def cut_in_the_middle(journey: Journey, tally: Tally) -> None:
    """Break the connection off, politely or not, once or several times."""
    dice, source = journey.dice, journey.source
    for _ in range(dice.randrange(1, 4)):
        start = journey.told
        if start == len(source):
            break
        rest = source[start:]
        part = rest[: dice.randrange(len(rest))]
        headers = checksum(rest, dice.choice(["sha1", "sha256"])) if dice.random() < 0.3 else {}
        with journey.tus.open_patch(journey.where, start, len(rest), headers) as connection:
            connection.sendall(part)
            _leave(connection, dice.choice(["close", "reset", "half-close"]))
        if not headers:
            journey.sent = max(journey.sent, start + len(part))
        assert journey.look() <= journey.sent, "something of half a checked chunk was kept"
        tally.landed += 1
        tally.seconds.append(journey.go_on(min(len(source), start + dice.randrange(1, PIECE))))
    journey.arrive()


def _leave(connection: socket.socket, how: str) -> None:
    if how == "reset":
        reset(connection)
    elif how == "half-close":
        connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError, HTTPException):
            # It is answered, if at all, with what is wrong.
            assert read_answer(connection).status >= 400


def damage_on_the_way(journey: Journey, tally: Tally) -> None:
    """Turn bits of chunks over between the client, who told their digest, and the server."""
    dice, source = journey.dice, journey.source
    for _ in range(dice.randrange(1, 4)):
        start = journey.told
        chunk = source[start : start + dice.randrange(1, len(source) // 4)]
        headers = checksum(chunk, dice.choice(["sha1", "sha256"]))
        answer = journey.tus.patch(journey.where, start, damaged(chunk, dice), headers)
        assert answer.status == 460, f"a damaged chunk was answered with {answer.status}"
        assert journey.look() == start, "something of a damaged chunk was kept"
        tally.landed += 1
        began = time.monotonic()
        end = int(journey.send_checked(start, chunk, headers).headers["Upload-Offset"])
        tally.seconds.append(time.monotonic() - began)
        assert end == journey.look() == start + len(chunk)
    journey.arrive()


def damaged(chunk: bytes, dice: random.Random) -> bytes:
    """Return a chunk of which one to eight bits are not what they were."""
    changed = bytearray(chunk)
    for bit in dice.sample(range(8 * len(chunk)), dice.randrange(1, 9)):
        changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _send_on(
    connection: socket.socket, body: bytes, sent: int, moment: int, happen: Callable[[], None]
) -> bool:
    """Send the rest, and let something happen when so many bytes have gone; True if all went."""
    happened = False
    try:
        while sent < len(body):
            if not happened and sent >= moment:
                happened = True
                happen()
            connection.sendall(body[sent : sent + PIECE])
            sent += PIECE
    except OSError:
        return False
    finally:
        if not happened:
            happen()
    return True


def _tell(killer: "subprocess.Popen[str]") -> None:
    assert killer.stdin is not None
    killer.stdin.write("now\n")
    killer.stdin.flush()


def _was_answered(connection: socket.socket) -> bool:
    try:
        return read_answer(connection).status == 204
    except (OSError, HTTPException):
        return False
