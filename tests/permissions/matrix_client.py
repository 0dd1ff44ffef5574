"""The people and videos of the matrix, made over HTTP in a running Matinee."""

import base64
import re
import secrets
from collections.abc import Collection
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests

from tests.permissions.matrix import (
    ALIVE,
    CAPTIONS,
    FORMS,
    JSON,
    OUR_SITE,
    PASSWORD,
    SIGNED_IN,
    Caller,
    Cell,
    Route,
    State,
    fields_of,
)
from tests.system.http_client import TIMEOUT, unless_busy

TITLE = "Seen by those who may watch"

_ROLES = {
    Caller.STRANGER: "uploader",
    Caller.OWNER: "uploader",
    Caller.ADMINISTRATOR: "admin",
}
_NOWHERE = "A" * 22
_NO_STEP = str(1 << 62)  # to make one fail takes minutes, and asking for another is no error
# The smallest picture: one pixel.
_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_CAPTION_FILE = {"file": ("video.vtt", CAPTIONS, "text/vtt")}


class MatrixClient:
    """Everybody, signed in to a Matinee that others may use as well.

    People are made when they are first asked for, and again when a request has signed them out or
    taken their account away; so are videos.

    :param operator: headers of an administrator, who is none of the callers.
    :param video: a file that can be played, or workers would take it down in the middle.
    """

    def __init__(self, url: str, operator: dict[str, str], video_bytes: bytes) -> None:
        self._url = url
        self._video_bytes = video_bytes
        self._operator = operator
        self._session = requests.Session()
        self._session.trust_env = False
        # Who is calling is said by each request, and no answer changes it.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._names: dict[Caller, str] = {}
        self._ids: dict[str, int] = {}
        self._credentials: dict[Caller, dict[str, str]] = {}
        self._videos: dict[State, str] = {}  # the owner's
        self._collections: dict[bool, str] = {}  # by whether videos are in it
        self._listed: str | None = None
        self._link: tuple[str, str] | None = None
        self._grants: dict[str, str] = {}
        self._group: str | None = None
        self._invitation: dict[str, Any] | None = None
        self._target = self._person("uploader")
        self._friend = self._person("viewer")

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request as it stands, and follow no redirect."""
        where = f"{self._url}{path}"
        return self._session.request(
            method, where, allow_redirects=False, timeout=TIMEOUT, **options
        )

    def _insist(self, method: str, path: str, **options: Any) -> requests.Response:
        return unless_busy(lambda: self.request(method, path, **options))

    def send(self, cell: Cell) -> requests.Response:
        """Send a request of the matrix."""
        headers = self.credentials(cell.caller) | dict(cell.site)
        options: dict[str, Any] = {} if cell.is_safe else self._body(cell.route)
        return self.request(cell.method, self._path(cell), headers=headers, **options)

    def prepare(
        self, route: Route, callers: Collection[Caller], states: Collection[State | None]
    ) -> None:
        """Make everything that an address is tried with in those states, by those callers."""
        self._video(State.PRIVATE)
        for caller in callers:
            self.credentials(caller)
        for state in route.states:
            if state in states:
                for method in route.grants:
                    self._path(Cell(route, method, Caller.OWNER, state, OUR_SITE))

    def mend(self, cell: Cell) -> None:
        """After a request that was granted: forget what it may have changed."""
        if cell.state is not None or "<grant>" in cell.route.pattern:
            self._videos.pop(cell.state or State.PRIVATE, None)
        if cell.route.pattern == "/stream/bin/empty":
            self._videos.pop(State.BINNED, None)
        if "<invitation" in cell.route.pattern:
            self._invitation = None
        deletes = cell.method == "DELETE" or cell.route.pattern.endswith("/delete")
        if "<user>" in cell.route.pattern and deletes:
            self._target = self._person("uploader")
        elif "<user>" in cell.route.pattern:
            self._let_in(self._target)
        person = Caller.OWNER if cell.caller is Caller.BEARER else cell.caller
        if cell.route.pattern == "/account/name":
            answer = self._insist("GET", "/api/session", headers=self.credentials(cell.caller))
            self._names[person] = answer.json()["name"]
        if cell.route.pattern == "/account/delete":
            self._names.pop(person)
            if person is Caller.OWNER:
                self._videos.clear()
        self._listed = None
        self._collections.clear()
        if "link" in cell.route.pattern or cell.state is State.PRIVATE:
            self._link = None
        self._group = None
        if cell.route.service != "auth":
            return  # it ends no session
        for caller in SIGNED_IN & self._credentials.keys():
            answer = self._insist("GET", "/api/session", headers=self.credentials(caller))
            if answer.status_code == 401:
                del self._credentials[caller]

    def own_videos(self) -> list[dict[str, object]]:
        """Return the owner's videos as they are now, but for what workers do to them meanwhile."""
        answer = self._insist(
            "GET", "/api/videos?whose=mine", headers=self.credentials(Caller.OWNER)
        )
        assert answer.status_code == 200, answer.text
        found: list[dict[str, object]] = answer.json()["videos"]
        made_later = ("processing", "sha256", "urls")
        return [{name: video[name] for name in video if name not in made_later} for video in found]

    # --- people -----------------------------------------------------------------------------------

    def credentials(self, caller: Caller) -> dict[str, str]:
        """Return the headers that say who is calling."""
        if caller is Caller.NOBODY:
            return {}
        if caller not in self._credentials:
            self._credentials[caller] = self._sign_in(caller)
        return self._credentials[caller]

    def _sign_in(self, caller: Caller) -> dict[str, str]:
        name = self._name(caller)
        if caller is Caller.BEARER:
            return {"Authorization": f"Bearer {self._token(name)}"}
        return sign_in(self._url, name)

    def _name(self, caller: Caller) -> str:
        person = Caller.OWNER if caller is Caller.BEARER else caller
        if person not in self._names:
            self._names[person] = self._person(_ROLES[person])
        return self._names[person]

    def _person(self, role: str) -> str:
        name = new_name()
        form = {"username": name, "password": PASSWORD, "role": role}
        answer = self._insist("POST", "/admin/users", data=form, headers=self._operator)
        assert answer.status_code == 303, answer.text
        return name

    def _token(self, name: str) -> str:
        form = {"username": name, "password": PASSWORD}
        answer = self._insist("POST", "/api/session", json=form).json()
        self._ids[name] = answer["user"]["id"]
        token: str = answer["token"]
        return token

    def _id(self, name: str) -> int:
        if name not in self._ids:
            self._token(name)
        return self._ids[name]

    def _let_in(self, name: str) -> None:
        path, form = f"/admin/users/{self._id(name)}", {"state": "active"}
        answer = self._insist("POST", path, data=form, headers=self._operator)
        assert answer.status_code == 303, answer.text

    # --- addresses --------------------------------------------------------------------------------

    def _path(self, cell: Cell) -> str:
        state, path = cell.state, cell.route.pattern
        if state is not None:
            path = path.replace("<video>", self._video(state))
        if "<user>" in path:
            path = path.replace("<user>", str(self._id(self._target)))
        path = path.replace("<language>", "en")
        path = path.replace("<rendition>", "480p").replace("<job>", _NO_STEP)
        if "<collection>" in path:
            path = path.replace("<collection>", self._collection(is_full=not cell.is_adding))
        if "<link>" in path or "<token>" in path:
            link, token = self._made_link()
            path = path.replace("<link>", link).replace("<token>", token)
        path = self._administrators_path(path)
        if "<grant>" in path:
            path = path.replace("<grant>", self._grant(state or State.PRIVATE))
        if "<group>" in path:
            path = path.replace("<group>", self._own_group()).replace("<name>", self._target)
        if "<session>" in path:
            path = path.replace("<session>", self._listed_session())
        return path

    def _administrators_path(self, path: str) -> str:
        """Return an address with what an administrator made for it: once for each request."""
        if "<password_token>" in path:
            link = f"/api/accounts/{self._id(self._target)}/password-link"
            url: str = self._operate("POST", link)["url"]
            path = path.replace("<password_token>", url.rpartition("/")[2])
        if "<invitation" in path:
            if self._invitation is None:
                unlimited = {"role": "viewer", "max_uses": None}
                self._invitation = self._operate("POST", "/api/invitations", json=unlimited)
            token = self._invitation["url"].rpartition("/")[2]
            path = path.replace("<invitation>", self._invitation["id"])
            path = path.replace("<invitation_token>", token)
        if "<sha256>" in path:
            logo = {"logo": ("logo.png", _PNG, "image/png")}
            self._insist("POST", "/admin/settings/logo", files=logo, headers=self._operator)
            return str(self._operate("GET", "/api/settings")["logo"])
        return path

    def _operate(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self._insist(method, path, headers=self._operator, **options)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def _made_link(self) -> tuple[str, str]:
        """Return a link of the owner's to their private video, and its token."""
        if self._link is None:
            video = self._video(State.PRIVATE)
            headers = self.credentials(Caller.OWNER)
            answer = self._insist("POST", f"/api/videos/{video}/links", json={}, headers=headers)
            assert answer.status_code == 201, answer.text
            self._link = (answer.json()["id"], answer.json()["url"].rpartition("/")[2])
        return self._link

    def _listed_session(self) -> str:
        """Return the id of a session that the owner has somewhere else."""
        if self._listed is not None:
            return self._listed
        sign_in(self._url, self._name(Caller.OWNER))
        page = self._insist("GET", "/account", headers=self.credentials(Caller.OWNER)).text
        self._listed = re.findall(r'action="/account/sessions/([^"/]+)/end"', page)[0]
        return self._listed

    def _collection(self, *, is_full: bool) -> str:
        """Return the id of a collection of the owner's: with what can be watched, or empty."""
        if is_full not in self._collections:
            collection = self._make("/api/collections", {"title": TITLE})
            for state in ALIVE if is_full else ():
                item = f"/api/collections/{collection}/items/{self._video(state)}"
                answer = self._insist("PUT", item, headers=self.credentials(Caller.OWNER))
                assert answer.status_code == 204, answer.text
            self._collections[is_full] = collection
        return self._collections[is_full]

    def _grant(self, state: State) -> str:
        """Return the id of a grant of a video to the target."""
        if state in (State.MISSING, State.DELETED, State.OWNER_GONE):
            return _NOWHERE
        video = self._video(state)
        if video not in self._grants:
            path, body = f"/api/videos/{video}/grants", {"user": self._target, "level": "watch"}
            self._grants[video] = self._make(path, body)
        return self._grants[video]

    def _own_group(self) -> str:
        """Return the id of a group that the owner manages, as does one other."""
        if self._group is None:
            self._group = self._make("/api/groups", {"name": "Friends"})
            second = self._person("uploader")
            for name, role in ((second, "manager"), (self._target, "member")):
                answer = self._insist(
                    "PUT",
                    f"/api/groups/{self._group}/members/{name}",
                    json={"role": role},
                    headers=self.credentials(Caller.OWNER),
                )
                assert answer.status_code == 204, answer.text
        return self._group

    def _make(self, path: str, body: dict[str, str]) -> str:
        """Let the owner make something through the API, and return its id."""
        answer = self._insist("POST", path, json=body, headers=self.credentials(Caller.OWNER))
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["id"]
        return made

    def _video(self, state: State) -> str:
        if state is State.MISSING:
            return _NOWHERE
        if state not in self._videos:
            self._videos[state] = self._make_video(state)
        return self._videos[state]

    def _make_video(self, state: State) -> str:
        headers = self.credentials(Caller.OWNER)
        if state is State.OWNER_GONE:
            headers = sign_in(self._url, self._person("uploader"))
        files = {"file": ("video.mp4", self._video_bytes, "video/mp4")}
        answer = self._insist(
            "POST", "/upload", data={"title": TITLE}, files=files, headers=headers | OUR_SITE
        )
        assert answer.status_code == 303, answer.text
        video = answer.headers["Location"].removeprefix("/stream/")
        visibility = state.value if state in ALIVE else State.PUBLIC.value
        shown = {"visibility": visibility}
        answer = self._insist("PATCH", f"/api/videos/{video}", json=shown, headers=headers)
        assert answer.status_code == 200, answer.text
        answer = self._insist(
            "POST",
            f"/stream/{video}/captions",
            data={"language": "en"},
            files=_CAPTION_FILE,
            headers=headers | OUR_SITE,
        )
        assert answer.status_code == 303, answer.text
        if state is State.DELETED:
            answer = self._insist("DELETE", f"/api/videos/{video}?permanently=1", headers=headers)
            assert answer.status_code == 204, answer.text
        if state is State.BINNED:
            answer = self._insist("DELETE", f"/api/videos/{video}", headers=headers)
            assert answer.status_code == 204, answer.text
        if state is State.OWNER_GONE:
            form = {"password": PASSWORD}
            answer = self._insist("POST", "/account/delete", data=form, headers=headers)
            assert answer.status_code == 303, answer.text
        return video

    def _body(self, route: Route) -> dict[str, Any]:
        if route.pattern in ("/upload", "/upload/share"):
            files = {"file": ("video.mp4", self._video_bytes, "video/mp4")}
            return {"data": {"title": "A video"}, "files": files}
        if route.pattern == "/admin/settings/logo":
            return {"files": {"logo": ("", b"")}}
        if route.pattern == "/stream/<video>/captions":
            return {"data": fields_of(FORMS, route), "files": _CAPTION_FILE}
        names = {
            "new": new_name(),
            "target": self._target,
            "friend": self._friend,
            "video": self._video(State.PRIVATE),
        }
        if fields := fields_of(JSON, route, **names):
            return {"json": fields}
        return {"data": fields_of(FORMS, route, **names)}


def new_name() -> str:
    """Return a name that nobody has."""
    return f"matrix-{secrets.token_hex(6)}"


def sign_in(url: str, name: str, *, register: bool = False) -> dict[str, str]:
    """Sign somebody in through the form, and return the cookie as a header."""
    where = f"{url}/{'register' if register else 'login'}"
    form = {"username": name, "password": PASSWORD}
    answer = unless_busy(
        lambda: requests.post(where, data=form, allow_redirects=False, timeout=TIMEOUT)
    )
    assert answer.status_code == 303, answer.text
    return {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}
