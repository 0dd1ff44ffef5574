"""The ways in which access to a video is taken away."""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from requests import Response

from benchmarks.sites import COOKIE
from tests.system.people import PASSWORD, Person, sign_in


@dataclass
class Stage:
    """What a way works with: the administrator, who owns a video, and a viewer of its own."""

    url: str
    film: Path
    admin: Person
    name: str
    password: str = PASSWORD
    video: str = ""
    others: list[Person] = field(default_factory=list)

    def viewer(self) -> Person:
        """Sign the viewer in, as from another browser."""
        person = sign_in(self.url, self.name, self.password)
        self.others.append(person)
        return person

    def new_video(self) -> str:
        """Upload a video that members may watch."""
        video = self.admin.upload(self.film)
        self.admin.show(video, "members")
        return video

    def new_account(self) -> None:
        """Make the viewer's account, under another name each time."""
        self.name = f"v{secrets.token_hex(6)}"
        fields = {"username": self.name, "password": self.password, "role": "viewer"}
        expect(self.admin.post("/admin/users", data=fields))

    def account_number(self) -> str:
        """Return the number of the viewer's account, from the administrator's page."""
        page = self.admin.get("/admin").text.partition(f'aria-label="Disable {self.name}"')[0]
        return str(re.findall(r"/admin/users/(\d+)/disable", page)[-1])


@contextmanager
def stage_for_one(url: str, token: str, film: Path) -> Iterator[Stage]:
    """Get an account and a video ready.

    :param token: of the administrator's session.
    """
    with Person(url) as admin:
        admin.cookies.set(COOKIE, token)
        stage = Stage(url, film, admin, "")
        stage.new_account()
        stage.video = stage.new_video()
        try:
            yield stage
        finally:
            for person in stage.others:
                person.close()


def expect(answer: Response) -> None:
    """:raises RuntimeError: the change was not taken."""
    if answer.status_code not in (200, 303):
        raise RuntimeError(f"a change was not taken: {answer.status_code}")


# A way gets the stage ready, and yields who reads and what takes the access away from them. After
# that was done it is asked for the next.
_Taking = tuple[Person, Callable[[], Response]]


def _log_out(stage: Stage) -> Iterator[_Taking]:
    while True:
        viewer = stage.viewer()
        yield viewer, partial(viewer.post, "/logout")


def _ended_elsewhere(stage: Stage) -> Iterator[_Taking]:
    elsewhere = stage.viewer()
    while True:
        viewer = stage.viewer()
        page = elsewhere.get("/account").text
        (address,) = re.findall(r"/account/sessions/[0-9a-f]+/end(?=\")", page)
        yield viewer, partial(elsewhere.post, address)


def _password(stage: Stage) -> Iterator[_Taking]:
    elsewhere = stage.viewer()
    while True:
        viewer = stage.viewer()
        fields = {"current": stage.password, "password": secrets.token_urlsafe(12)}
        yield viewer, partial(elsewhere.post, "/account/password", data=fields)
        stage.password = fields["password"]


def _visibility(stage: Stage) -> Iterator[_Taking]:
    viewer = stage.viewer()
    path = f"/api/videos/{stage.video}"
    while True:
        stage.admin.show(stage.video, "members")
        yield viewer, partial(stage.admin.patch, path, json={"visibility": "private"})


def _deletion(stage: Stage) -> Iterator[_Taking]:
    viewer = stage.viewer()
    while True:
        stage.video = stage.new_video()
        yield viewer, partial(stage.admin.post, f"/stream/{stage.video}/delete")


def _disabled(stage: Stage) -> Iterator[_Taking]:
    number = stage.account_number()
    while True:
        viewer = stage.viewer()
        yield viewer, partial(stage.admin.post, f"/admin/users/{number}/disable")
        expect(stage.admin.post(f"/admin/users/{number}/enable"))


def _account_deleted(stage: Stage) -> Iterator[_Taking]:
    while True:
        viewer, elsewhere = stage.viewer(), stage.viewer()
        fields = {"password": stage.password}
        yield viewer, partial(elsewhere.post, "/account/delete", data=fields)
        stage.new_account()


WAYS: dict[str, Callable[[Stage], Iterator[_Taking]]] = {
    "log-out": _log_out,
    "session ended on the account page": _ended_elsewhere,
    "password changed": _password,
    "made private": _visibility,
    "video deleted": _deletion,
    "account disabled": _disabled,
    "account deleted": _account_deleted,
}
