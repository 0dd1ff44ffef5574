"""The permission matrix of sharing: what each way to share a video gives, and for how long.

Like `matrix.py`, whose addresses these are, it is written down by hand and knows nothing of the
packages. Each sharing is one of a private video of the owner's. Both runs, in one process and over
HTTP, try every address of the video with it.

What cannot interact is not multiplied. A method that an address does not take is refused before
anything about the video is read, so it is tried with one validity and one level. What changes
something is tried where it must be refused, and where it is granted with one validity: reading and
changing go by the same level. A request from another site is refused alike whatever is shared;
`matrix.py` tries that.
"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tests.permissions import matrix
from tests.permissions.matrix import (
    METHODS,
    OUR_SITE,
    ROUTES,
    SAFE,
    Caller,
    Cell,
    Route,
    State,
    Who,
)


class Way(enum.Enum):
    """How a video is shared."""

    USER = "with a person"
    GROUP = "with a group"
    COLLECTION_USER = "through a collection, with a person"
    COLLECTION_GROUP = "through a collection, with a group"
    LINK = "by a link"
    COLLECTION_LINK = "through a collection, by a link"

    @property
    def is_link(self) -> bool:
        """Whether a link opens it, and no account is needed."""
        return self in (Way.LINK, Way.COLLECTION_LINK)

    @property
    def has_collection(self) -> bool:
        """Whether a collection is shared, and the video through it."""
        return self in (Way.COLLECTION_USER, Way.COLLECTION_GROUP, Way.COLLECTION_LINK)


class Level(enum.IntEnum):
    """What is given; each level includes those before it."""

    WATCH = 1
    DOWNLOAD = 2
    EDIT = 3
    SHARE = 4


class Validity(enum.Enum):
    """Until when it is shared, or what ended it."""

    NEVER_ENDS = "never ends"
    ENDS_LATER = "ends later"
    USED_UP = "opened, then used up"
    EXPIRED = "expired"
    REVOKED = "revoked"
    BINNED = "in the bin"

    @property
    def holds(self) -> bool:
        """Whether the video can be watched."""
        return self in (Validity.NEVER_ENDS, Validity.ENDS_LATER, Validity.USED_UP)


class Asker(enum.Enum):
    """Who asks for the video."""

    NAMED = "the person"  # to whom it is shared, or a member of the group
    VISITOR = "a visitor"  # signed out; has opened the link
    VISITOR_WITH_ACCOUNT = "a visitor who is signed in"
    OTHER = "somebody else"  # signed in; not named, and in none of the groups
    NOBODY = "somebody signed out"

    @property
    def is_signed_in(self) -> bool:
        """Whether they have an account."""
        return self not in (Asker.VISITOR, Asker.NOBODY)

    @property
    def is_meant(self) -> bool:
        """Whether the sharing is for them."""
        return self not in (Asker.OTHER, Asker.NOBODY)


class Right(enum.Enum):
    """What a request needs."""

    WATCH = "may watch the video"
    REMEMBER = "may watch it, and has an account"
    COLLECT = "may watch it by their account, which a link is not"
    DOWNLOAD = "has it at download"
    EDIT = "has it at edit"
    SHARE = "has it at share"
    OWN = "owns it"
    OPEN = "may open the collection"
    ARRANGE = "has the collection at edit"
    ADD = "has the collection at edit, and may watch the video"
    SHARE_COLLECTION = "has the collection at share"
    SHARE_BOTH = "has the collection and the video at share"


@dataclass(frozen=True)
class Sharing:
    """One way to share a video, at a level, and whether that holds."""

    way: Way
    level: Level
    validity: Validity

    def __str__(self) -> str:
        return f"shared {self.way.value} at {self.level.name.lower()}, {self.validity.value}"

    def gives(self, asker: Asker, right: Right) -> bool:
        """Tell whether somebody has a right by it."""
        level = self.level if asker.is_meant and self.validity.holds else 0
        # The bin is one of videos: the collection stays open.
        is_open = self.validity.holds or self.validity is Validity.BINNED
        opened = self.level if asker.is_meant and self.way.has_collection and is_open else 0
        return {
            Right.WATCH: level >= Level.WATCH,
            Right.REMEMBER: level >= Level.WATCH and asker.is_signed_in,
            Right.COLLECT: level >= Level.WATCH and not self.way.is_link,
            Right.DOWNLOAD: level >= Level.DOWNLOAD,
            Right.EDIT: level >= Level.EDIT,
            Right.SHARE: level >= Level.SHARE,
            Right.OWN: False,
            Right.OPEN: opened >= Level.WATCH,
            Right.ARRANGE: opened >= Level.EDIT,
            Right.ADD: opened >= Level.EDIT and level >= Level.WATCH,
            Right.SHARE_COLLECTION: opened >= Level.SHARE,
            Right.SHARE_BOTH: min(opened, level) >= Level.SHARE,
        }[right]


def sharings() -> Iterator[Sharing]:
    """Return every sharing that there can be: a link edits nothing, and only it is used up."""
    for way in Way:
        for level in (Level.WATCH, Level.DOWNLOAD) if way.is_link else Level:
            for validity in Validity:
                if way.is_link or validity is not Validity.USED_UP:
                    yield Sharing(way, level, validity)


SHARINGS = tuple(sharings())

_WATCH = {"GET": Right.WATCH}
_DOWNLOAD = {"GET": Right.DOWNLOAD}
_EDIT = {"POST": Right.EDIT}
_SHARE = {"POST": Right.SHARE}
_OWN = {"POST": Right.OWN}
_ARRANGE = {"POST": Right.ARRANGE}

# What a request to an address of the video needs; `<collection>` has the video in it.
NEEDS: Mapping[str, Mapping[str, Right]] = {
    "/stream/<video>": _WATCH,
    "/embed/<video>": _WATCH,
    "/stream/<video>/master.m3u8": _WATCH,
    "/stream/<video>/hls/<rendition>.m3u8": _WATCH,
    "/stream/<video>/hls/<rendition>.mp4": _WATCH,
    "/stream/<video>/poster.jpg": _WATCH,
    "/stream/<video>/storyboard.jpg": _WATCH,
    "/stream/<video>/storyboard.vtt": _WATCH,
    "/stream/<video>/captions/<language>.vtt": _WATCH,
    "/api/videos/<video>/captions": _WATCH,
    "/api/videos/<video>/progress": _WATCH,
    "/api/videos/<video>/position": {"PUT": Right.REMEMBER, "POST": Right.REMEMBER},
    "/stream/<video>/collections": {"POST": Right.COLLECT},
    "/stream/<video>/video.mp4": _DOWNLOAD,
    "/stream/<video>/download": _DOWNLOAD,
    "/api/videos/<video>": _WATCH | {"PATCH": Right.EDIT, "DELETE": Right.OWN},
    "/stream/<video>/edit": {"GET": Right.EDIT, "POST": Right.EDIT},
    "/stream/<video>/process": _EDIT,
    "/stream/<video>/poster": _EDIT,
    "/stream/<video>/captions": _EDIT,
    "/stream/<video>/captions/<language>/delete": _EDIT,
    "/stream/<video>/access": {"GET": Right.SHARE, "POST": Right.SHARE},
    "/stream/<video>/access/visibility": _SHARE,
    "/stream/<video>/access/grants/<grant>": _SHARE,
    "/stream/<video>/access/grants/<grant>/remove": _SHARE,
    "/stream/<video>/as": {"GET": Right.SHARE},
    "/stream/<video>/links": {"GET": Right.SHARE, "POST": Right.SHARE},
    "/stream/<video>/audit": {"GET": Right.SHARE},
    "/api/videos/<video>/access": {"GET": Right.SHARE},
    "/api/videos/<video>/grants": _SHARE,
    "/api/videos/<video>/links": _SHARE,
    "/stream/<video>/delete": _OWN,
    "/stream/<video>/delete-now": _OWN,
    "/stream/<video>/restore": _OWN,
    "/api/videos/<video>/restore": _OWN,
    "/collections/<collection>": {"GET": Right.OPEN},
    "/collections/<collection>/edit": _ARRANGE,
    "/collections/<collection>/items": {"POST": Right.ADD},
    "/collections/<collection>/items/<video>/move": _ARRANGE,
    "/collections/<collection>/items/<video>/cover": _ARRANGE,
    "/collections/<collection>/items/<video>/remove": _ARRANGE,
    "/collections/<collection>/links": {
        "GET": Right.SHARE_COLLECTION,
        "POST": Right.SHARE_COLLECTION,
    },
    "/collections/<collection>/access": {
        "GET": Right.SHARE_COLLECTION,
        "POST": Right.SHARE_COLLECTION,
    },
    # The grant is one of the video.
    "/collections/<collection>/access/grants/<grant>": {"POST": Right.SHARE_BOTH},
    "/collections/<collection>/access/grants/<grant>/remove": {"POST": Right.SHARE_BOTH},
    "/collections/<collection>/delete": _OWN,
    "/api/collections/<collection>": {
        "GET": Right.OPEN,
        "PATCH": Right.ARRANGE,
        "DELETE": Right.OWN,
    },
    "/api/collections/<collection>/items/<video>": {"PUT": Right.ADD, "DELETE": Right.ARRANGE},
    "/api/collections/<collection>/links": {"POST": Right.SHARE_COLLECTION},
    "/api/collections/<collection>/grants": {"POST": Right.SHARE_COLLECTION},
}

# Those who edit do not decide who watches, so their bodies say nothing of it.
_TEXTS = {"title": "Changed", "description": "Changed"}
FORMS: Mapping[str, Mapping[str, object]] = {**matrix.FORMS, "/stream/<video>/edit": _TEXTS}
JSON: Mapping[str, Mapping[str, object]] = {**matrix.JSON, "/api/videos/<video>": _TEXTS}


@dataclass(frozen=True)
class SharedCell:
    """A request for a video that is shared."""

    sharing: Sharing
    asker: Asker
    route: Route
    method: str

    def __str__(self) -> str:
        return f"{self.method} {self.route.pattern}, {self.sharing}, by {self.asker.value}"

    @property
    def is_safe(self) -> bool:
        """Whether its method promises to change nothing."""
        return self.method in SAFE

    @property
    def is_granted(self) -> bool:
        """Whether the asker gets what they asked for."""
        return self.as_cell().is_granted

    def expected(self) -> int:
        """Return the status that it must get."""
        return self.as_cell().expected()

    def as_cell(self) -> Cell:
        """Return it as a request of the first matrix, whose rules it shares."""
        caller = Caller.STRANGER if self.asker.is_signed_in else Caller.NOBODY
        needs = NEEDS[self.route.pattern]
        granted = {
            method: frozenset({caller} if self.sharing.gives(self.asker, right) else ())
            for method, right in needs.items()
        }
        grants = {
            method: replace(grant, who=_always(granted[method]))
            for method, grant in self.route.grants.items()
        }
        route = replace(self.route, grants=grants)
        return Cell(route, self.method, caller, State.PRIVATE, OUR_SITE)


def _always(callers: frozenset[Caller]) -> Who:
    """Return a rule that names the same callers whatever the state of a video."""
    return lambda _state: callers


ADDRESSES = tuple(
    route
    for route in ROUTES
    if not route.is_inside and ("<video>" in route.pattern or "<collection>" in route.pattern)
)
"""The lines of the first matrix that are tried."""


def askers(sharing: Sharing) -> Iterator[Asker]:
    """Return for whom a sharing is; and once for each way those for whom it is not."""
    if sharing.way.is_link:
        yield from (Asker.VISITOR, Asker.VISITOR_WITH_ACCOUNT)
    else:
        yield Asker.NAMED
    if _is_most(sharing):
        yield from (Asker.OTHER, Asker.NOBODY)


def _is_most(sharing: Sharing) -> bool:
    """Tell whether nothing more can be shared in its way."""
    highest = Level.DOWNLOAD if sharing.way.is_link else Level.SHARE
    return sharing.level is highest and sharing.validity is Validity.NEVER_ENDS


def cells(sharing: Sharing) -> Iterator[SharedCell]:
    """Return the requests that are tried for a sharing, those that take the video away last."""
    always = sharing.validity is Validity.NEVER_ENDS
    every_method = always and sharing.level is Level.WATCH
    routes = sorted(ADDRESSES, key=lambda route: list(NEEDS).index(route.pattern))
    for route in routes:
        # A video that is shared itself says nothing about its owner's collections.
        if "<collection>" in route.pattern and not (
            sharing.way.has_collection or _is_most(sharing)
        ):
            continue
        for asker in askers(sharing):
            for method in METHODS if every_method else route.grants:
                cell = SharedCell(sharing, asker, route, method)
                if cell.is_safe or always or not cell.is_granted:
                    yield cell
