"""What people do meanwhile: they watch a film, open pages and upload, through living gateways."""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from tests.system.http_client import Person
from tests.system.replicas import Replicas, same_person
from tests.system.test_processing import state
from tests.system.upload_faults import Journey
from tests.waiting import wait_until

FILM_SIZE = 8 << 20  # bytes of the film that is watched
WRONG_BYTES = "wrong bytes"
RANGE = 1 << 16  # bytes that a viewer asks for at once
VIEWERS, READERS, UPLOADERS = 4, 2, 2
PAUSE = 0.05  # seconds between two requests of one visitor
PIECES = 12  # requests of one upload
PATIENCE = 90  # seconds for an upload to go on: longer than two leases of killed containers
PROCESSED = 300  # seconds within which a new video is complete; else a job is stuck


class Balancer:
    """Sends visitors to gateways that live, as something in front of several gateways would."""

    def __init__(self, gateways: Sequence[str]) -> None:
        self._living = list(gateways)

    def choose(self, last: str) -> str:
        """Return the gateway that a visitor had, or another if that one has been left out."""
        living = self._living
        return last if last in living else living[0]

    @contextmanager
    def without(self, gateway: str) -> Iterator[None]:
        """Leave a gateway out for a while. What is under way there is not broken off."""
        self._living = [url for url in self._living if url != gateway]
        try:
            yield
        finally:
            self._living = [*self._living, gateway]


class Visitor(threading.Thread):
    """Opens one address after the other, again and again.

    :ivar answers: how many were right.
    :ivar failures: what was wrong, with its second since the start.
    :ivar gap: the longest time in seconds without a right answer, while the gateway lived.
    """

    def __init__(self, person: Person, balancer: Balancer, addresses: Sequence[str]) -> None:
        super().__init__(daemon=True)
        self._person, self._balancer, self._addresses = person, balancer, addresses
        self.ended = threading.Event()
        self.answers, self.gap = 0, 0.0
        self.failures: list[str] = []

    def ask(self, session: Person, number: int) -> str:
        """Send the request of that number; return what is wrong with the answer, or ""."""
        address = self._addresses[number % len(self._addresses)]
        answer = session.get(address, timeout=15)
        return "" if answer.status_code == 200 else f"{address}: {answer.status_code}"

    def run(self) -> None:
        """Go on until told to end."""
        began = last = time.monotonic()
        gateway = self._balancer.choose(self._person.url)
        session = same_person(self._person, gateway)
        number = 0
        while not self.ended.wait(PAUSE):
            if self._balancer.choose(gateway) != gateway:
                gateway = self._balancer.choose(gateway)
                session.close()
                session = same_person(self._person, gateway)
                last = time.monotonic()
            try:
                wrong = self.ask(session, number)
            except requests.RequestException as error:
                wrong = f"{type(error).__name__}: {error}"
            asked, now = gateway, time.monotonic()
            if wrong:
                self.failures.append(f"{now - began:.1f} s, {asked}: {wrong}")
            else:
                number += 1
                self.answers += 1
            if self._balancer.choose(gateway) == gateway:
                self.gap = max(self.gap, now - last)
            if not wrong:
                last = now
        session.close()


class Viewer(Visitor):
    """Watches a film, range by range, and compares the bytes."""

    def __init__(self, person: Person, balancer: Balancer, film: Journey) -> None:
        super().__init__(person, balancer, [f"/stream/{film.id}/video.mp4"])
        self._content = film.source

    def ask(self, session: Person, number: int) -> str:
        """Ask for the next range."""
        first = number * RANGE % (len(self._content) - RANGE)
        headers = {"Range": f"bytes={first}-{first + RANGE - 1}"}
        answer = session.get(self._addresses[0], headers=headers, timeout=15)
        if answer.status_code != 206:
            return f"range at {first}: {answer.status_code}"
        wanted = self._content[first : first + RANGE]
        return "" if answer.content == wanted else f"range at {first}: {WRONG_BYTES}"


class Uploader(threading.Thread):
    """Uploads one film after the other, holds each to what was sent, and sees it processed.

    :ivar videos: those that arrived and were complete.
    :ivar lost: what went wrong.
    """

    def __init__(self, replicas: Replicas, person: Person, dice: random.Random) -> None:
        super().__init__(daemon=True)
        self._replicas, self._person, self._dice = replicas, person, dice
        self.ended = threading.Event()
        self.videos: list[str] = []
        self.lost: list[str] = []

    def run(self) -> None:
        """Go on until told to end; what has begun is finished."""
        while not self.ended.is_set() and not self.lost:
            try:
                self.videos.append(self._upload())
            except (AssertionError, OSError) as error:
                self.lost.append(f"{type(error).__name__}: {error}")
        self._person.close()

    def _upload(self) -> str:
        journey = Journey(self._replicas, self._person, self._dice)
        journey.patience = PATIENCE
        for piece in range(1, PIECES):
            journey.go_on(len(journey.source) * piece // PIECES, away=True)
        journey.finish()
        wait_until(
            lambda: is_processed(self._person, journey.id),
            within=PROCESSED,
            what=f"{journey.id} complete",
        )
        return journey.id


def is_processed(person: Person, video: str) -> bool:
    """Tell whether everything has been made of a video; no while nobody can say."""
    try:
        return state(person, video) == "done"
    except requests.RequestException:
        return False


@dataclass
class Load:
    """Everybody who is there, on several gateways."""

    balancer: Balancer
    viewers: list[Viewer] = field(default_factory=list)
    readers: list[Visitor] = field(default_factory=list)
    uploaders: list[Uploader] = field(default_factory=list)

    @property
    def failures(self) -> list[str]:
        """What viewers and readers were not given."""
        visitors = [*self.viewers, *self.readers]
        return [failure for visitor in visitors for failure in visitor.failures]

    @property
    def lost(self) -> list[str]:
        """What went wrong with uploads."""
        return [lost for uploader in self.uploaders for lost in uploader.lost]

    @property
    def gap(self) -> float:
        """The longest time, in seconds, for which a viewer of a living gateway got nothing."""
        return max(viewer.gap for viewer in self.viewers)

    def words(self) -> str:
        """Say in a line what it came to."""
        watched = sum(viewer.answers for viewer in self.viewers)
        opened = sum(reader.answers for reader in self.readers)
        videos = sum(len(uploader.videos) for uploader in self.uploaders)
        return (
            f"{watched} ranges, {opened} pages, {len(self.failures)} failed, {videos} uploads; "
            f"longest gap of a viewer {self.gap:.1f} s"
        )


def upload_film(replicas: Replicas, person: Person) -> Journey:
    """Upload the film that is watched, and return once it has been processed."""
    film = Journey(replicas, person, random.Random(5), size=FILM_SIZE)
    film.finish()
    wait_until(lambda: is_processed(person, film.id), within=PROCESSED, what="the film")
    return film


@contextmanager
def under_load(replicas: Replicas, person: Person, film: Journey, *, seed: str) -> Iterator[Load]:
    """Have people come, and leave in the end; uploads under way are finished then."""
    urls = list(replicas.gateways.values())
    pages = ("/stream", f"/stream/{film.id}", "/account", "/upload", f"/api/videos/{film.id}")
    load = Load(Balancer(urls))
    for number in range(VIEWERS):
        here = same_person(person, urls[number % len(urls)])
        load.viewers.append(Viewer(here, load.balancer, film))
    for number in range(READERS):
        here = same_person(person, urls[number % len(urls)])
        load.readers.append(Visitor(here, load.balancer, pages))
    for number in range(UPLOADERS):
        here = same_person(person, urls[number % len(urls)])
        load.uploaders.append(Uploader(replicas, here, random.Random(f"{seed}-{number}")))
    everybody = [*load.viewers, *load.readers, *load.uploaders]
    for one in everybody:
        one.start()
    try:
        yield load
    finally:
        for one in everybody:
            one.ended.set()
        for one in everybody:
            one.join()
