"""The permission matrix: who gets which answer from which address.

This is the whole expectation, written down by hand and knowing nothing of the packages: a line for
each address with a door, and for each method who is granted what. A test holds the lines together
with the apps' URL maps. Both runs, in one process and over HTTP, try every cell of it: address,
method, caller, state of the video, and the site that the request comes from.
"""

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PASSWORD = "correct horse battery"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAFE = ("GET", "HEAD", "OPTIONS")


class Caller(enum.Enum):
    """Whoever sends a request. `OWNER` and `BEARER` own the video; `DISABLED` owned one too."""

    NOBODY = "somebody signed out"
    VIEWER = "a viewer"
    STRANGER = "another uploader"
    OWNER = "the owner"
    BEARER = "the owner's token"
    ADMINISTRATOR = "an administrator"
    DISABLED = "an owner who was disabled"


class State(enum.Enum):
    """What became of the video in an address. One that is gone or binned was public before."""

    PRIVATE = "private"
    MEMBERS = "members"
    PUBLIC = "public"
    BINNED = "in the bin"
    DELETED = "deleted"
    OWNER_GONE = "owner gone"
    MISSING = "not there"


ALIVE = (State.PRIVATE, State.MEMBERS, State.PUBLIC)
# Enough for what is refused whatever the state is. None: the address has no video.
WITHOUT_LOOKING = (None, State.PRIVATE, State.MISSING)

EVERYBODY = frozenset(Caller)
SIGNED_IN = EVERYBODY - {Caller.NOBODY, Caller.DISABLED}
UPLOADERS = SIGNED_IN - {Caller.VIEWER}
ADMINISTRATORS = frozenset({Caller.ADMINISTRATOR})
THE_OWNER = frozenset({Caller.OWNER, Caller.BEARER})
NOT_FROM_OUTSIDE: frozenset[Caller] = frozenset()

Who = Callable[[State | None], frozenset[Caller]]


def everybody(_state: State | None) -> frozenset[Caller]:
    """No account is needed."""
    return EVERYBODY


def members(_state: State | None) -> frozenset[Caller]:
    """Whoever has an account."""
    return SIGNED_IN


def administrators(_state: State | None) -> frozenset[Caller]:
    """Whoever looks after the accounts."""
    return ADMINISTRATORS


def uploaders(_state: State | None) -> frozenset[Caller]:
    """Whoever may upload."""
    return UPLOADERS


def nobody(_state: State | None) -> frozenset[Caller]:
    """Nobody: the request names nothing."""
    return frozenset()


def itself(_state: State | None) -> frozenset[Caller]:
    """Whose it is, whatever the state of a video."""
    return THE_OWNER


def watchers(state: State | None) -> frozenset[Caller]:
    """Who may see that the video is there, and watch it."""
    return {
        State.PRIVATE: THE_OWNER,
        State.MEMBERS: SIGNED_IN,
        State.PUBLIC: EVERYBODY,
        State.BINNED: THE_OWNER,
    }.get(state or State.MISSING, frozenset())


def signed_in_watchers(state: State | None) -> frozenset[Caller]:
    """Who may watch the video and has an account, in which something can be remembered."""
    return watchers(state) & SIGNED_IN


def owner(state: State | None) -> frozenset[Caller]:
    """Who may rename, describe and share the video."""
    return THE_OWNER if state in (*ALIVE, State.BINNED) else frozenset()


def bin_owner(state: State | None) -> frozenset[Caller]:
    """Who may take the video out of the bin."""
    return THE_OWNER if state is State.BINNED else frozenset()


def collected(state: State | None) -> frozenset[Caller]:
    """Whose collection has the video in it: it has all that are there for people to watch."""
    return THE_OWNER if state in ALIVE else frozenset()


def collectors(state: State | None) -> frozenset[Caller]:
    """Who may put the video into a collection of the owner's."""
    return watchers(state) & THE_OWNER


def removers(state: State | None) -> frozenset[Caller]:
    """Who may put the video into the bin: an administrator only what others can see as well."""
    if state is State.BINNED:
        return frozenset()
    return owner(state) | (watchers(state) & ADMINISTRATORS)


@dataclass(frozen=True)
class Grant:
    """Who is answered with a status; the others get `otherwise`, or are refused."""

    who: Who
    status: int
    otherwise: int | None = None


@dataclass(frozen=True)
class Route:
    """A line of the table.

    :param door: who is let in at all, before anything is looked at. Empty: only the inside.
    :param grants: by method. HEAD goes with GET; OPTIONS asks the door alone; others are 405.
    :param subject: whom `<user>` stands for.
    """

    service: str
    pattern: str
    door: frozenset[Caller]
    grants: Mapping[str, Grant]
    subject: str = "target"

    def __str__(self) -> str:
        return f"{self.service} {self.pattern}"

    @property
    def states(self) -> tuple[State | None, ...]:
        """The states that its address can be tried in."""
        return tuple(State) if "<video>" in self.pattern else (None,)

    def looks(self, method: str) -> bool:
        """Tell whether the answer depends on the video: media do not tell which methods they take.

        Other addresses refuse a method that they do not take, and answer OPTIONS, before that.
        """
        return self.is_media or ("GET" if method == "HEAD" else method) in self.grants

    @property
    def is_media(self) -> bool:
        """Whether it answers with bytes of a video."""
        return self.pattern.removeprefix("/stream/<video>/") in MEDIA

    @property
    def is_inside(self) -> bool:
        """Whether it is closed to the outside."""
        return self.door == NOT_FROM_OUTSIDE


PAGE = {"GET": Grant(members, 200)}
OPEN_PAGE = {"GET": Grant(everybody, 200)}
FRONT_DOOR = {"GET": Grant(members, 303, otherwise=200)}  # who is in already goes on
FORM = {"POST": Grant(members, 303)}
OPEN_FORM = {"POST": Grant(everybody, 303)}
OWN_FORM = {"POST": Grant(itself, 303)}
OWN_PAGE = {"GET": Grant(itself, 200)}
WATCHING = {"GET": Grant(watchers, 200)}
KEEPING = {"GET": Grant(owner, 200)}  # nobody was given any of these videos to keep
EDITING = {"GET": Grant(owner, 200), "POST": Grant(owner, 303)}
OWNING = {"POST": Grant(owner, 303)}
REMEMBERING = {"PUT": Grant(signed_in_watchers, 204), "POST": Grant(signed_in_watchers, 204)}
EMPTYING = {"POST": Grant(itself, 303, otherwise=303)}  # the others have nothing in it
SELECTING = {"POST": Grant(itself, 303, otherwise=303)}  # each video by the rules of its own page
RESTORING = {"POST": Grant(bin_owner, 303)}
REMOVING = {"POST": Grant(removers, 303)}
VIDEO_API = WATCHING | {"PATCH": Grant(owner, 200), "DELETE": Grant(removers, 204)}
SESSION_API = PAGE | {"POST": Grant(everybody, 201), "DELETE": Grant(everybody, 204)}
NEW = {"POST": Grant(members, 201)}
ACCOUNT_API = PAGE | {"PATCH": Grant(members, 200), "DELETE": Grant(members, 204)}
COLLECTION_API = OWN_PAGE | {"PATCH": Grant(itself, 200), "DELETE": Grant(itself, 204)}
ITEM = {"POST": Grant(collected, 303)}
ITEM_API = {"PUT": Grant(collectors, 204), "DELETE": Grant(collected, 204)}
COLLECTING = {"POST": Grant(signed_in_watchers, 303)}
LINKING = {"GET": Grant(owner, 200), "POST": Grant(owner, 201)}
LINK_API = {"PATCH": Grant(itself, 200), "DELETE": Grant(itself, 204)}
NEW_LINK = {"POST": Grant(itself, 201)}
OWN_LINKING = OWN_PAGE | NEW_LINK
# Of the links that the caller has, which may be none.
REVOKING = {"POST": Grant(everybody, 303)}
OPENING = {"GET": Grant(everybody, 200), "POST": Grant(everybody, 303)}
SHARING = {"GET": Grant(owner, 200), "POST": Grant(owner, 303)}
GRANTING = {"POST": Grant(owner, 201)}
# The owner of the private video made it, and manages the group.
GRANT_API = {"PATCH": Grant(itself, 200), "DELETE": Grant(itself, 204)}
GROUP_API = {"GET": Grant(itself, 200)} | {
    "PATCH": Grant(itself, 200),
    "DELETE": Grant(itself, 204),
}
MEMBER_API = {"PUT": Grant(itself, 204), "DELETE": Grant(itself, 204)}
MAKING = {"POST": Grant(uploaders, 303, otherwise=403)}
MAKING_API = {"POST": Grant(uploaders, 201, otherwise=403)}
QUESTION = {"GET": Grant(watchers, 204)}  # of the gateway's

# Files of a video, by their names in addresses. They take any method, and ask who is calling first.
MEDIA = {
    "video.mp4": WATCHING,
    "download": KEEPING,
    "poster.jpg": WATCHING,
    "storyboard.jpg": WATCHING,
    "storyboard.vtt": WATCHING,
    "master.m3u8": WATCHING,
    "hls/<rendition>.m3u8": WATCHING,
    "hls/<rendition>.mp4": WATCHING,
}

ROUTES = (
    Route("auth", "/", EVERYBODY, FRONT_DOOR),
    Route("auth", "/login", EVERYBODY, FRONT_DOOR | OPEN_FORM),
    Route("auth", "/register", EVERYBODY, FRONT_DOOR | OPEN_FORM),
    Route("auth", "/logout", EVERYBODY, OPEN_FORM),
    Route("auth", "/language", EVERYBODY, OPEN_FORM),
    Route("auth", "/api/session", EVERYBODY, SESSION_API),
    Route("auth", "/offline", EVERYBODY, OPEN_PAGE),
    Route("auth", "/webapp", EVERYBODY, OPEN_PAGE),
    Route("auth", "/design", ADMINISTRATORS, PAGE),
    Route("auth", "/account", SIGNED_IN, PAGE),
    Route("auth", "/account/password", SIGNED_IN, FORM),
    Route("auth", "/account/delete", SIGNED_IN, FORM),
    Route("auth", "/account/sessions/end-others", SIGNED_IN, FORM),
    Route("auth", "/account/sessions/<session>/end", SIGNED_IN, OWN_FORM),
    Route("auth", "/account/name", SIGNED_IN, FORM),
    Route("auth", "/account/theme", EVERYBODY, OPEN_FORM),
    Route("auth", "/password", EVERYBODY, OPEN_PAGE),
    # `<password_token>` is of a link that sets the target's password.
    Route("auth", "/password/<password_token>", EVERYBODY, OPEN_PAGE | OPEN_FORM),
    Route("auth", "/api/passwords", EVERYBODY, {"POST": Grant(everybody, 200)}),
    # `<invitation>` is one for any number of people, and `<invitation_token>` opens it.
    Route("auth", "/invite/<invitation_token>", EVERYBODY, OPEN_PAGE | OPEN_FORM),
    Route("auth", "/logo/<sha256>.png", EVERYBODY, OPEN_PAGE),
    Route("auth", "/admin", ADMINISTRATORS, PAGE),
    Route("auth", "/admin/users", ADMINISTRATORS, PAGE | FORM),
    Route("auth", "/admin/users/<user>", ADMINISTRATORS, PAGE | FORM),
    Route("auth", "/admin/users/<user>/password", ADMINISTRATORS, FORM),
    Route("auth", "/admin/users/<user>/password-link", ADMINISTRATORS, NEW),
    Route("auth", "/admin/users/<user>/delete", ADMINISTRATORS, FORM),
    Route("auth", "/admin/invitations", ADMINISTRATORS, PAGE | NEW),
    Route("auth", "/admin/invitations/<invitation>/revoke", ADMINISTRATORS, FORM),
    Route("auth", "/admin/settings", ADMINISTRATORS, PAGE | FORM),
    Route("auth", "/admin/settings/logo", ADMINISTRATORS, FORM),
    Route("auth", "/admin/setup", ADMINISTRATORS, PAGE | FORM),
    Route("auth", "/admin/setup/joining", ADMINISTRATORS, PAGE | FORM),
    Route("auth", "/admin/setup/upload", ADMINISTRATORS, PAGE),
    Route("auth", "/api/accounts", ADMINISTRATORS, PAGE | NEW),
    Route("auth", "/api/accounts/<user>", ADMINISTRATORS, ACCOUNT_API),
    Route("auth", "/api/accounts/<user>/password-link", ADMINISTRATORS, NEW),
    Route("auth", "/api/invitations", ADMINISTRATORS, PAGE | NEW),
    Route("auth", "/api/invitations/<invitation>", ADMINISTRATORS, {"DELETE": Grant(members, 204)}),
    Route("auth", "/api/settings", ADMINISTRATORS, PAGE | {"PATCH": Grant(members, 200)}),
    Route("auth", "/groups", SIGNED_IN, PAGE | MAKING),
    Route("auth", "/groups/<group>", SIGNED_IN, {"GET": Grant(itself, 200)}),
    Route("auth", "/groups/<group>/rename", SIGNED_IN, OWN_FORM),
    Route("auth", "/groups/<group>/delete", SIGNED_IN, OWN_FORM),
    Route("auth", "/groups/<group>/leave", SIGNED_IN, OWN_FORM),
    Route("auth", "/groups/<group>/members", SIGNED_IN, OWN_FORM),
    Route("auth", "/groups/<group>/members/<user>/role", SIGNED_IN, OWN_FORM),
    Route("auth", "/groups/<group>/members/<user>/remove", SIGNED_IN, OWN_FORM),
    Route("auth", "/api/groups", SIGNED_IN, PAGE | MAKING_API),
    Route("auth", "/api/groups/<group>", SIGNED_IN, GROUP_API),
    Route("auth", "/api/groups/<group>/members/<name>", SIGNED_IN, MEMBER_API),
    Route("upload", "/upload", UPLOADERS, PAGE | FORM),
    Route("upload", "/upload/share", UPLOADERS, {"GET": Grant(members, 303)} | FORM),
    Route("upload", "/api/uploads", UPLOADERS, PAGE),
    # The request names no file, which is found out once the caller is let in.
    Route("upload", "/api/uploads/duplicates", UPLOADERS, {"GET": Grant(members, 422)}),
    Route("streaming", "/stream", SIGNED_IN, PAGE),
    Route("streaming", "/stream/selection", SIGNED_IN, SELECTING),
    Route("streaming", "/stream/audit", ADMINISTRATORS, PAGE),
    Route("streaming", "/stream/<video>/audit", SIGNED_IN, KEEPING),
    Route("streaming", "/api/audit", SIGNED_IN, {"GET": Grant(administrators, 200)}),
    Route("streaming", "/api/audit/export.jsonl", SIGNED_IN, {"GET": Grant(administrators, 200)}),
    Route("streaming", "/stream/bin", SIGNED_IN, PAGE),
    Route("streaming", "/stream/bin/empty", SIGNED_IN, EMPTYING),
    Route("streaming", "/stream/<video>/restore", SIGNED_IN, RESTORING),
    Route("streaming", "/stream/<video>/delete-now", SIGNED_IN, OWNING),
    Route("streaming", "/api/bin", SIGNED_IN, PAGE),
    Route("streaming", "/api/videos/<video>/restore", SIGNED_IN, {"POST": Grant(bin_owner, 200)}),
    Route("streaming", "/stream/failed", ADMINISTRATORS, PAGE),
    Route("streaming", "/stream/failed/<job>/again", ADMINISTRATORS, FORM),
    Route("streaming", "/stream/<video>", EVERYBODY, WATCHING),
    Route("streaming", "/stream/<video>/edit", SIGNED_IN, EDITING),
    Route("streaming", "/stream/<video>/delete", SIGNED_IN, REMOVING),
    Route("streaming", "/stream/<video>/process", SIGNED_IN, OWNING),
    Route("streaming", "/stream/<video>/poster", SIGNED_IN, OWNING),
    Route("streaming", "/stream/<video>/captions", SIGNED_IN, OWNING),
    Route("streaming", "/stream/<video>/captions/<language>.vtt", EVERYBODY, WATCHING),
    Route("streaming", "/stream/<video>/captions/<language>/delete", SIGNED_IN, OWNING),
    Route("streaming", "/stream/shared", SIGNED_IN, PAGE),
    Route("streaming", "/stream/shared/<grant>/remove", SIGNED_IN, OWN_FORM),
    Route("streaming", "/stream/<video>/access", SIGNED_IN, SHARING),
    Route("streaming", "/stream/<video>/access/visibility", SIGNED_IN, OWNING),
    Route("streaming", "/stream/<video>/access/grants/<grant>", SIGNED_IN, OWNING),
    Route("streaming", "/stream/<video>/access/grants/<grant>/remove", SIGNED_IN, OWNING),
    Route("streaming", "/collections/<collection>/access", SIGNED_IN, OWN_PAGE | OWN_FORM),
    Route("streaming", "/collections/<collection>/access/grants/<grant>", SIGNED_IN, OWN_FORM),
    Route(
        "streaming", "/collections/<collection>/access/grants/<grant>/remove", SIGNED_IN, OWN_FORM
    ),
    Route("streaming", "/stream/<video>/as", SIGNED_IN, {"GET": Grant(owner, 303)}),
    *(
        Route("streaming", f"/stream/<video>/{name}", EVERYBODY, grants)
        for name, grants in MEDIA.items()
    ),
    Route("streaming", "/api/videos", EVERYBODY, PAGE),
    Route("streaming", "/api/videos/failed", ADMINISTRATORS, PAGE),
    Route("streaming", "/api/videos/progress", EVERYBODY, PAGE),
    Route("streaming", "/api/videos/suggestions", SIGNED_IN, PAGE),
    Route("streaming", "/api/videos/<video>", EVERYBODY, VIDEO_API),
    Route("streaming", "/api/videos/<video>/captions", EVERYBODY, WATCHING),
    Route("streaming", "/api/videos/<video>/progress", EVERYBODY, WATCHING),
    Route("streaming", "/api/videos/<video>/position", SIGNED_IN, REMEMBERING),
    # `<collection>` is one of the owner's.
    Route("streaming", "/collections", SIGNED_IN, PAGE | FORM),
    Route("streaming", "/collections/<collection>", EVERYBODY, OWN_PAGE),
    Route("streaming", "/collections/<collection>/edit", SIGNED_IN, OWN_FORM),
    Route("streaming", "/collections/<collection>/delete", SIGNED_IN, OWN_FORM),
    Route("streaming", "/collections/<collection>/items", SIGNED_IN, OWN_FORM),
    Route("streaming", "/collections/<collection>/items/<video>/remove", SIGNED_IN, ITEM),
    Route("streaming", "/collections/<collection>/items/<video>/move", SIGNED_IN, ITEM),
    Route("streaming", "/collections/<collection>/items/<video>/cover", SIGNED_IN, ITEM),
    Route("streaming", "/stream/<video>/collections", SIGNED_IN, COLLECTING),
    Route("streaming", "/api/collections", EVERYBODY, PAGE | NEW),
    Route("streaming", "/api/collections/<collection>", EVERYBODY, COLLECTION_API),
    Route("streaming", "/api/collections/<collection>/items/<video>", EVERYBODY, ITEM_API),
    # `<link>` is a link of the owner's to their private video, and `<token>` opens it.
    Route("streaming", "/s/<token>", EVERYBODY, OPENING),
    Route("streaming", "/stream/<video>/links", SIGNED_IN, LINKING),
    Route("streaming", "/collections/<collection>/links", SIGNED_IN, OWN_LINKING),
    Route("streaming", "/account/links", SIGNED_IN, PAGE),
    Route("streaming", "/account/links/revoke-all", SIGNED_IN, REVOKING),
    Route("streaming", "/account/links/<link>", SIGNED_IN, OWN_PAGE | OWN_FORM),
    Route("streaming", "/account/links/<link>/extend", SIGNED_IN, OWN_FORM),
    Route("streaming", "/account/links/<link>/revoke", SIGNED_IN, OWN_FORM),
    Route("streaming", "/api/videos/<video>/links", SIGNED_IN, {"POST": Grant(owner, 201)}),
    Route("streaming", "/api/collections/<collection>/links", SIGNED_IN, NEW_LINK),
    Route("streaming", "/api/links", SIGNED_IN, PAGE),
    Route("streaming", "/api/links/<link>", SIGNED_IN, LINK_API),
    Route("streaming", "/api/videos/<video>/access", SIGNED_IN, {"GET": Grant(owner, 200)}),
    Route("streaming", "/api/videos/<video>/grants", SIGNED_IN, GRANTING),
    Route(
        "streaming", "/api/collections/<collection>/grants", SIGNED_IN, {"POST": Grant(itself, 201)}
    ),
    Route("streaming", "/api/grants/<grant>", SIGNED_IN, GRANT_API),
    Route("streaming", "/api/users", SIGNED_IN, PAGE),
    Route("streaming", "/embed/<video>", EVERYBODY, WATCHING),
    Route("streaming", "/oembed", EVERYBODY, {"GET": Grant(nobody, 200)}),
    Route("streaming", "/internal/authorise", NOT_FROM_OUTSIDE, QUESTION),
    Route("auth", "/healthz", NOT_FROM_OUTSIDE, OPEN_PAGE),
    Route("auth", "/readyz", NOT_FROM_OUTSIDE, OPEN_PAGE),
    Route("auth", "/metrics", NOT_FROM_OUTSIDE, OPEN_PAGE),
    Route("upload", "/healthz", NOT_FROM_OUTSIDE, OPEN_PAGE),
    Route("upload", "/readyz", NOT_FROM_OUTSIDE, OPEN_PAGE),
    Route("upload", "/metrics", NOT_FROM_OUTSIDE, OPEN_PAGE),
    Route("streaming", "/healthz", NOT_FROM_OUTSIDE, OPEN_PAGE),
    Route("streaming", "/readyz", NOT_FROM_OUTSIDE, OPEN_PAGE),
    Route("streaming", "/metrics", NOT_FROM_OUTSIDE, OPEN_PAGE),
)

# The addresses of uploads, whose cells are in tests/upload_service/test_tus_permissions.py.
TUS = (
    "/upload/files",
    "/upload/files/<upload>",
    "/upload/files/<upload>/discard",
    "/api/uploads/<upload>",
)

# What a good request carries. `{new}` stands for a name not used before, `{target}` for that of a
# person whom nothing else is about; `{friend}` is somebody with whom nothing is shared; `{video}`
# is the id of the owner's private video.
_LOGIN = {"username": "{target}", "password": PASSWORD}
CAPTIONS = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nSeen by those who may watch\n"
_EDIT = {"title": "Changed", "description": "Changed", "visibility": "members"}
FORMS: Mapping[str, Mapping[str, object]] = {
    "/login": _LOGIN,
    "/register": {"username": "{new}", "password": PASSWORD},
    "/language": {"language": "de"},
    "/account/password": {"current": PASSWORD, "password": PASSWORD},
    "/account/delete": {"password": PASSWORD},
    "/admin/users": {"username": "{new}", "password": PASSWORD, "role": "viewer"},
    "/account/name": {"username": "{new}"},
    "/account/theme": {"theme": "dark"},
    "/password/<password_token>": {"password": PASSWORD},
    "/invite/<invitation_token>": {"username": "{new}", "password": PASSWORD},
    "/admin/users/<user>": {"role": "viewer", "quota": "20 GB"},
    "/admin/users/<user>/password": {"password": PASSWORD},
    "/admin/users/<user>/delete": {"confirm": "{target}"},
    "/admin/invitations": {"role": "viewer", "label": "For Anna", "uses": "1", "days": ""},
    # The defaults: what the other tests of a site that is shared expect.
    "/admin/settings": {"bin_days": "30"},
    "/admin/settings/logo": {},  # and no file, which removes it
    "/admin/setup": {"name": "Matinee"},
    "/admin/setup/joining": {"new_role": "uploader"},
    "/stream/<video>/edit": _EDIT,
    "/stream/selection": {"do": "tag", "tag": "changed", "video": "{video}"},
    "/stream/<video>/restore": {"from": "library"},
    "/stream/<video>/links": {"label": "For Anna"},
    "/collections/<collection>/links": {"label": "For Anna"},
    "/account/links/<link>": {"label": "Changed"},
    "/stream/<video>/poster": {"at": "0:01"},
    "/stream/<video>/captions": {"language": "de"},  # and a file, CAPTIONS
    "/stream/<video>/collections": {"title": "Holidays"},
    "/collections": {"title": "Holidays"},
    "/collections/<collection>/edit": {"title": "Changed"},
    "/collections/<collection>/items": {"video": "{video}"},
    "/collections/<collection>/items/<video>/move": {"to": "last"},
    "/stream/<video>/access": {"who": "{friend}", "level": "watch"},
    "/stream/<video>/access/visibility": {"visibility": "private", "downloadable": "on"},
    "/stream/<video>/access/grants/<grant>": {"level": "edit"},
    "/collections/<collection>/access": {"who": "{friend}", "level": "watch"},
    "/collections/<collection>/access/grants/<grant>": {"level": "edit"},
    "/groups": {"name": "Family"},
    "/groups/<group>/rename": {"name": "Team"},
    "/groups/<group>/members": {"name": "{friend}"},
    "/groups/<group>/members/<user>/role": {"role": "manager"},
}
JSON: Mapping[str, Mapping[str, object]] = {
    "/api/session": _LOGIN,
    "/api/passwords": {"password": PASSWORD},
    "/api/accounts": {"username": "{new}", "password": PASSWORD, "role": "viewer"},
    "/api/accounts/<user>": {"role": "viewer"},
    "/api/invitations": {"role": "viewer", "label": "For Anna"},
    "/api/settings": {"bin_days": "30"},
    "/api/videos/<video>": _EDIT,
    "/api/videos/<video>/links": {"label": "For Anna"},
    "/api/collections/<collection>/links": {"label": "For Anna"},
    "/api/links/<link>": {"label": "Changed"},
    "/api/videos/<video>/position": {"position_ms": 1000},
    "/api/collections": {"title": "Holidays"},
    "/api/collections/<collection>": {"title": "Changed"},
    "/api/videos/<video>/grants": {"user": "{friend}", "level": "watch"},
    "/api/collections/<collection>/grants": {"user": "{friend}", "level": "watch"},
    "/api/grants/<grant>": {"level": "edit"},
    "/api/groups": {"name": "Family"},
    "/api/groups/<group>": {"name": "Team"},
    "/api/groups/<group>/members/<name>": {"role": "manager"},
}

OUR_SITE = {"Sec-Fetch-Site": "same-origin"}
OTHER_SITES: tuple[Mapping[str, str], ...] = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},  # another port or subdomain
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:60.0)"},  # a browser that says neither
)


@dataclass(frozen=True)
class Cell:
    """One request of the matrix.

    :param site: headers that tell which site made the browser send it.
    """

    route: Route
    method: str
    caller: Caller
    state: State | None
    site: Mapping[str, str]

    def __str__(self) -> str:
        video = f" ({self.state.value})" if self.state else ""
        address = f"{self.method} {self.route.pattern}{video}"
        return f"{address} by {self.caller.value}, {dict(self.site)}"

    @property
    def is_safe(self) -> bool:
        """Whether its method promises to change nothing."""
        return self.method in SAFE

    @property
    def is_adding(self) -> bool:
        """Whether it puts a video into a collection, which must not be there yet."""
        return self.method == "PUT" or self.route.pattern.endswith("/items")

    @property
    def is_cross_site(self) -> bool:
        """Whether another site is behind it. Only scripts send tokens, so those are not asked.

        Nor are media, for which the front server takes no method that could change anything.
        """
        is_checked = self.caller is not Caller.BEARER and not self.route.is_media
        return self.site != OUR_SITE and not self.is_safe and is_checked

    @property
    def is_granted(self) -> bool:
        """Whether the caller gets what they asked for."""
        grant = self._grant()
        return (
            not self.is_cross_site
            and grant is not None
            and self.caller in self.route.door & grant.who(self.state)
        )

    def _grant(self) -> Grant | None:
        return self.route.grants.get("GET" if self.method == "HEAD" else self.method)

    def expected(self) -> int:
        """Return the status that a request from outside must get."""
        if self.is_cross_site:
            return 403
        if self.route.is_inside:
            return 404
        return self._media() if self.route.is_media else self._other()

    def _other(self) -> int:
        grant = self._grant()
        if grant is None and self.method != "OPTIONS":
            return 405
        if self.caller not in self.route.door:
            return self._refusal(403)
        if grant is None or self.caller in grant.who(self.state):
            return grant.status if grant else 200
        return grant.otherwise or self._refusal(404)

    def _media(self) -> int:
        """Media tell who may not watch nothing, not even which methods they take."""
        if self.caller not in self.route.grants["GET"].who(self.state):
            return self._refusal(404)
        return 200 if self.method in ("GET", "HEAD") else 405

    def _refusal(self, status: int) -> int:
        """Whoever is signed out is asked to sign in: a page leads them there, unless in a frame."""
        if self.caller in SIGNED_IN or self.route.pattern.startswith(("/embed/", "/oembed")):
            return status
        is_track = self.route.pattern.endswith(".vtt")
        is_api = self.route.pattern.startswith("/api/") or self.route.is_media or is_track
        return 303 if self.method in ("GET", "HEAD") and not is_api else 401


def cells(route: Route, other_sites: tuple[Mapping[str, str], ...] = OTHER_SITES) -> Iterator[Cell]:
    """Return the requests of a line: everything from our own site, and from others.

    Another site's request is refused before its address is looked at. So all other sites are tried
    with the methods that an address takes and that may change something, with one state of a video;
    one other site with each state, which its request must not come to see. One other site and one
    state are enough for what only reads, since links from elsewhere work, and for methods that the
    address does not take. A method that is answered without a look at the video is tried with one
    that is there and one that is not.
    """
    for state in route.states:
        for caller in Caller:
            for method in METHODS:
                if not route.looks(method) and state not in WITHOUT_LOOKING:
                    continue
                others = other_sites[:1]
                if method in SAFE or method not in route.grants:
                    others = others if state in (None, State.PRIVATE) else ()
                elif state in (None, State.MEMBERS):
                    others = other_sites
                for site in (OUR_SITE, *others):
                    yield Cell(route, method, caller, state, site)


def fields_of(
    table: Mapping[str, Mapping[str, object]], route: Route, **names: str
) -> dict[str, Any]:
    """Return the fields that `FORMS` or `JSON` has for an address, with names in place."""
    fields = table.get(route.pattern, {})
    return {
        key: names.get(value.strip("{}"), value) if isinstance(value, str) else value
        for key, value in fields.items()
    }
