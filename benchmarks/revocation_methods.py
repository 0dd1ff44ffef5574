"""The ways to revoke access to a video."""

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.account import COOKIE, PASSWORD, Account, Visitor, log_in


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

    def account_page(self) -> str:
        """Return the administrator's address of the viewer's account."""
        found = self.admin.get("/api/accounts", params={"q": self.name}).json()
        return f"/admin/users/{found['accounts'][0]['id']}"


@contextmanager
def scenario(url: str, token: str, file: Path) -> Iterator[Scenario]:
    """Make an account and a video.

    :param token: of the administrator's session.
    """
    with Account(url) as admin:
        admin.cookies.set(COOKIE, token)
        given = Scenario(url, file, admin)
        given.new_account()
        given.video = given.new_video()
        try:
            yield given
        finally:
            for account in given.sessions:
                account.close()


# A method prepares the scenario, and yields who reads and what revokes their access, which returns
# at the moment from which nothing may be granted. After that it is asked for the next.
_Revocation = tuple[Account, Callable[[], object]]


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
    page = given.account_page()
    while True:
        viewer = given.viewer()
        yield viewer, partial(given.admin.post, page, data={"state": "disabled"})
        given.admin.post(page, data={"state": "active"})


def _account_deleted(given: Scenario) -> Iterator[_Revocation]:
    while True:
        viewer, elsewhere = given.viewer(), given.viewer()
        fields = {"password": given.password}
        yield viewer, partial(elsewhere.post, "/account/delete", data=fields)
        given.new_account()


def _private(given: Scenario) -> Account:
    """Leave the video to what is shared, and return the viewer."""
    given.admin.set_visibility(given.video, "private")
    return given.viewer()


def _grant(given: Scenario, what: str, subject: dict[str, str], **fields: str) -> str:
    """Share a video or collection so that the original may be read, and return the grant's id."""
    body = {"level": "download", **subject, **fields}
    return str(given.admin.post(f"/api/{what}/grants", json=body).json()["id"])


def _group(given: Scenario) -> str:
    """Make a group with the viewer in it, and return its id."""
    group = str(given.admin.post("/api/groups", json={"name": "Family"}).json()["id"])
    given.admin.put(f"/api/groups/{group}/members/{given.name}")
    return group


def _collection(given: Scenario) -> str:
    """Make a collection with the video in it, shared with the viewer, and return its id."""
    made = given.admin.post("/api/collections", json={"title": "Holidays"}).json()["id"]
    given.admin.put(f"/api/collections/{made}/items/{given.video}")
    _grant(given, f"collections/{made}", {"user": given.name})
    return str(made)


def _grant_removed(given: Scenario) -> Iterator[_Revocation]:
    viewer = _private(given)
    while True:
        grant = _grant(given, f"videos/{given.video}", {"user": given.name})
        yield viewer, partial(given.admin.delete, f"/api/grants/{grant}")


def _level_lowered(given: Scenario) -> Iterator[_Revocation]:
    viewer = _private(given)
    grant = _grant(given, f"videos/{given.video}", {"user": given.name})
    while True:
        yield viewer, partial(given.admin.patch, f"/api/grants/{grant}", json={"level": "watch"})
        given.admin.patch(f"/api/grants/{grant}", json={"level": "download"})


def _grant_expired(given: Scenario) -> Iterator[_Revocation]:
    viewer = _private(given)
    while True:
        ends = datetime.now(UTC) + timedelta(seconds=3)
        expires = {"expires_at": ends.isoformat()}
        grant = _grant(given, f"videos/{given.video}", {"user": given.name}, **expires)
        yield viewer, partial(_wait_until, ends)
        given.admin.delete(f"/api/grants/{grant}")


def _wait_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


def _left_group(given: Scenario) -> Iterator[_Revocation]:
    viewer, group = _private(given), _group(given)
    _grant(given, f"videos/{given.video}", {"group": group})
    member = f"/api/groups/{group}/members/{given.name}"
    while True:
        yield viewer, partial(given.admin.delete, member)
        given.admin.put(member)


def _group_deleted(given: Scenario) -> Iterator[_Revocation]:
    viewer = _private(given)
    while True:
        group = _group(given)
        _grant(given, f"videos/{given.video}", {"group": group})
        yield viewer, partial(given.admin.delete, f"/api/groups/{group}")


def _left_collection(given: Scenario) -> Iterator[_Revocation]:
    viewer, collection = _private(given), _collection(given)
    item = f"/api/collections/{collection}/items/{given.video}"
    while True:
        yield viewer, partial(given.admin.delete, item)
        given.admin.put(item)


def _collection_deleted(given: Scenario) -> Iterator[_Revocation]:
    viewer = _private(given)
    while True:
        yield viewer, partial(given.admin.delete, f"/api/collections/{_collection(given)}")


def _link_revoked(given: Scenario) -> Iterator[_Revocation]:
    given.admin.set_visibility(given.video, "private")
    while True:
        body = {"label": "For Anna", "level": "download"}
        link = given.admin.post(f"/api/videos/{given.video}/links", json=body).json()
        visitor = Visitor(given.url)
        given.sessions.append(visitor)
        visitor.post(urlsplit(link["url"]).path)
        yield visitor, partial(given.admin.delete, f"/api/links/{link['id']}")


METHODS: dict[str, Callable[[Scenario], Iterator[_Revocation]]] = {
    "logged out": _log_out,
    "session ended on the account page": _session_ended,
    "password changed": _password_changed,
    "made private": _made_private,
    "video put into the bin": _video_deleted,
    "account disabled": _account_disabled,
    "account deleted": _account_deleted,
    "grant removed": _grant_removed,
    "grant lowered from download to watch": _level_lowered,
    "grant expired": _grant_expired,
    "removed from a group": _left_group,
    "group deleted": _group_deleted,
    "removed from a collection": _left_collection,
    "collection deleted": _collection_deleted,
    "link revoked": _link_revoked,
}
