"""The ways to revoke access to a video."""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from requests import Response

from benchmarks.account import COOKIE, PASSWORD, Account, log_in


@dataclass
class Scenario:
    """An administrator who owns a video, and a viewer with an account of their own."""

    url: str
    file: Path
    admin: Account
    name: str = ""
    password: str = PASSWORD
    video: str = ""
    sessions: list[Account] = field(default_factory=list)

    def viewer(self) -> Account:
        """Sign the viewer in, as from another browser."""
        account = log_in(self.url, self.name, self.password)
        self.sessions.append(account)
        return account

    def new_video(self) -> str:
        """Upload a video that members may watch."""
        video = self.admin.upload(self.file)
        self.admin.set_visibility(video, "members")
        return video

    def new_account(self) -> None:
        """Make the viewer's account, under another name each time."""
        self.name, self.password = f"v{secrets.token_hex(6)}", PASSWORD
        self.admin.create_account(self.name, "viewer")

    def account_number(self) -> str:
        """Return the number of the viewer's account, from the administrator's page."""
        page = self.admin.get("/admin").text.partition(f'aria-label="Disable {self.name}"')[0]
        return str(re.findall(r"/admin/users/(\d+)/disable", page)[-1])


@contextmanager
def scenario(url: str, token: str, file: Path) -> Iterator[Scenario]:
    """Make an account and a video.

    :param token: of the administrator's session.
    """
    with Account(url, "alice") as admin:
        admin.cookies.set(COOKIE, token)
        given = Scenario(url, file, admin)
        given.new_account()
        given.video = given.new_video()
        try:
            yield given
        finally:
            for account in given.sessions:
                account.close()


# A method prepares the scenario, and yields who reads and what revokes their access. After access
# was revoked it is asked for the next.
_Revocation = tuple[Account, Callable[[], Response]]


def _log_out(given: Scenario) -> Iterator[_Revocation]:
    while True:
        viewer = given.viewer()
        yield viewer, partial(viewer.post, "/logout")


def _session_ended(given: Scenario) -> Iterator[_Revocation]:
    elsewhere = given.viewer()
    while True:
        viewer = given.viewer()
        page = elsewhere.get("/account").text
        (address,) = re.findall(r"/account/sessions/[0-9a-f]+/end(?=\")", page)
        yield viewer, partial(elsewhere.post, address)


def _password_changed(given: Scenario) -> Iterator[_Revocation]:
    elsewhere = given.viewer()
    while True:
        viewer = given.viewer()
        fields = {"current": given.password, "password": secrets.token_urlsafe(12)}
        yield viewer, partial(elsewhere.post, "/account/password", data=fields)
        given.password = fields["password"]


def _made_private(given: Scenario) -> Iterator[_Revocation]:
    viewer = given.viewer()
    path = f"/api/videos/{given.video}"
    while True:
        given.admin.set_visibility(given.video, "members")
        yield viewer, partial(given.admin.patch, path, json={"visibility": "private"})


def _video_deleted(given: Scenario) -> Iterator[_Revocation]:
    viewer = given.viewer()
    while True:
        given.video = given.new_video()
        yield viewer, partial(given.admin.post, f"/stream/{given.video}/delete")


def _account_disabled(given: Scenario) -> Iterator[_Revocation]:
    number = given.account_number()
    while True:
        viewer = given.viewer()
        yield viewer, partial(given.admin.post, f"/admin/users/{number}/disable")
        given.admin.post(f"/admin/users/{number}/enable")


def _account_deleted(given: Scenario) -> Iterator[_Revocation]:
    while True:
        viewer, elsewhere = given.viewer(), given.viewer()
        fields = {"password": given.password}
        yield viewer, partial(elsewhere.post, "/account/delete", data=fields)
        given.new_account()


METHODS: dict[str, Callable[[Scenario], Iterator[_Revocation]]] = {
    "logged out": _log_out,
    "session ended on the account page": _session_ended,
    "password changed": _password_changed,
    "made private": _made_private,
    "video deleted": _video_deleted,
    "account disabled": _account_disabled,
    "account deleted": _account_deleted,
}
