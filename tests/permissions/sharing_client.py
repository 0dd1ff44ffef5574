"""What is shared in the matrix, made through the API of a running Matinee.

The owner has a video, and another one in a collection. Each way to share has people of its own, so
that all ways are tried side by side, at one level after the other.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from tests.permissions.matrix import CAPTIONS, OUR_SITE, PASSWORD, fields_of
from tests.permissions.matrix_client import TITLE, new_name, sign_in
from tests.permissions.sharing_matrix import (
    FORMS,
    JSON,
    Asker,
    Level,
    SharedCell,
    Sharing,
    Validity,
    Way,
)
from tests.system.http_client import TIMEOUT, unless_busy
from tests.waiting import wait_until

_PEOPLE = [way for way in Way if not way.is_link]
_CAPTION_FILE = {"file": ("video.vtt", CAPTIONS, "text/vtt")}
_PROCESSING = 120  # seconds; other tests' videos are processed before
_SOON = timedelta(seconds=3)  # in which everything is shared, and asked for once


class SharingClient:
    """The owner and everybody else, signed in to a Matinee that others may use as well.

    :param operator: headers of an administrator, who is none of them.
    :param video_bytes: a video that workers can process.
    """

    def __init__(self, url: str, operator: dict[str, str], video_bytes: bytes) -> None:
        self._url = url
        self._operator = operator
        self._session = requests.Session()
        self._session.trust_env = False
        self._owner = self._sign_in(self._person())
        self._names = {way: self._person() for way in _PEOPLE}
        self._cookies = {way: self._sign_in(self._names[way]) for way in _PEOPLE}
        self._other_name = self._person()
        self._other = self._sign_in(self._other_name)
        self._visits: dict[Way, str] = {}
        # Rows that end a sharing when they are removed: grants and links.
        self._made: dict[Way, str] = {}
        self._videos = {through: self._upload(video_bytes) for through in (False, True)}
        self._collection = self._make("/api/collections", {"title": TITLE})
        self.put_item()
        self._groups = {
            way: self._group(self._names[way]) for way in (Way.GROUP, Way.COLLECTION_GROUP)
        }
        self._friends = {
            through: self._grant(f"/api/videos/{video}", {"user": self._person()}, Level.WATCH)
            for through, video in self._videos.items()
        }
        for video in self._videos.values():
            self._wait_for_processing(video)
        self._rendition = self._find_rendition(self._videos[True])

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request as it stands, and follow no redirect. Cookies are not kept."""
        answer = self._session.request(
            method, f"{self._url}{path}", allow_redirects=False, timeout=TIMEOUT, **options
        )
        self._session.cookies.clear()
        return answer

    def as_owner(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request of the owner's, which must succeed."""
        headers = self._owner | OUR_SITE
        answer = unless_busy(lambda: self.request(method, path, headers=headers, **options))
        assert answer.status_code < 400, (method, path, answer.text)
        return answer

    # --- what is shared ---------------------------------------------------------------------------

    @contextmanager
    def shared(self, level: Level, validity: Validity) -> Iterator[list[Sharing]]:
        """Share both videos in every way, let that end as it is said, and end it after all.

        Whoever asks gets the video before it ends, so that what remembers that is put to the test.
        """
        ways = [way for way in Way if not way.is_link or level <= Level.DOWNLOAD]
        if validity is Validity.USED_UP:
            ways = [way for way in ways if way.is_link]
        sharings = [Sharing(way, level, validity) for way in ways]
        expires_at = self._expiry(validity)
        for way in ways:
            self._share(way, level, validity, expires_at)
        self._next_second()
        for sharing in sharings:
            before = self.request("GET", self._playlist(sharing.way), headers=self._of(sharing))
            assert before.status_code == 200, sharing
        self._end(ways, validity, expires_at)
        self._next_second()
        yield sharings
        if validity is Validity.BINNED:
            for video in self._videos.values():
                self.as_owner("POST", f"/api/videos/{video}/restore")
        for way in ways:
            self._unshare(way)

    def _expiry(self, validity: Validity) -> datetime | None:
        ages = {Validity.ENDS_LATER: timedelta(days=1), Validity.EXPIRED: _SOON}
        return datetime.now(UTC) + ages[validity] if validity in ages else None

    def _share(
        self, way: Way, level: Level, validity: Validity, expires_at: datetime | None
    ) -> None:
        where = f"/api/videos/{self._videos[False]}"
        if way.has_collection:
            where = f"/api/collections/{self._collection}"
        if not way.is_link:
            subject = {"user": self._names[way]}
            if way in self._groups:
                subject = {"group": self._groups[way]}
            self._made[way] = self._grant(where, subject, level, expires_at)
            return
        views = 1 if validity is Validity.USED_UP else None
        fields = {"level": level.name.lower(), "expires_at": _iso(expires_at), "max_views": views}
        made = self.as_owner("POST", f"{where}/links", json=fields).json()
        self._made[way] = made["id"]
        path = f"/s/{made['url'].rpartition('/s/')[2]}"
        opened = self.request("POST", path, headers=OUR_SITE)
        assert opened.status_code == 303, opened.text
        self._visits[way] = opened.headers["Set-Cookie"].split(";")[0]
        newcomer = self.request("POST", path, headers=OUR_SITE)
        assert newcomer.status_code == (404 if views else 303)

    def _grant(
        self, where: str, subject: dict[str, str], level: Level, expires_at: datetime | None = None
    ) -> str:
        fields = {"level": level.name.lower(), "expires_at": _iso(expires_at)}
        return self._make(f"{where}/grants", subject | fields)

    def _end(self, ways: list[Way], validity: Validity, expires_at: datetime | None) -> None:
        if validity is Validity.REVOKED:
            for way in ways:
                self._unshare(way)
        elif validity is Validity.BINNED:
            for video in self._videos.values():
                self.as_owner("DELETE", f"/api/videos/{video}")
        elif validity is Validity.EXPIRED and expires_at is not None:
            wait_until(lambda: datetime.now(UTC) > expires_at, what="the end of what is shared")

    def _unshare(self, way: Way) -> None:
        """Remove a grant or link, if it is not removed yet."""
        if made := self._made.pop(way, None):
            self.as_owner("DELETE", f"/api/{'links' if way.is_link else 'grants'}/{made}")

    def _next_second(self) -> None:
        """Wait until no front server uses an answer that it was given before."""
        second = int(time.time())
        wait_until(lambda: int(time.time()) > second, what="the next second")

    def put_item(self) -> None:
        """Put the video into the collection, if it is not there."""
        path = f"/api/collections/{self._collection}/items/{self._videos[True]}"
        self.as_owner("PUT", path)

    def described(self) -> list[dict[str, Any]]:
        """Return what the owner is told of the videos and the collection, and who may see them."""
        told: list[dict[str, Any]] = []
        for video in self._videos.values():
            for path in (f"/api/videos/{video}", f"/api/videos/{video}/access"):
                told.append(self.as_owner("GET", path).json())
        told.append(self.as_owner("GET", f"/api/collections/{self._collection}").json())
        for one in told:
            for person in one.get("people", ()):
                person.pop("last_watched_at")
        return told

    def renew_grant(self, way: Way) -> None:
        """Give the video of a way another grant, in place of one that was removed."""
        through = way.has_collection
        where = f"/api/videos/{self._videos[through]}"
        self._friends[through] = self._grant(where, {"user": self._person()}, Level.WATCH)

    # --- requests ---------------------------------------------------------------------------------

    def send(self, cell: SharedCell, *, friend: str | None = None) -> requests.Response:
        """Send a request of the matrix.

        :param friend: the name of somebody with whom nothing is shared yet.
        """
        headers = self._of(cell.sharing, cell.asker) | OUR_SITE
        options = {} if cell.is_safe else self._body(cell, friend or self._other_name)
        return self.request(cell.method, self._path(cell), headers=headers, **options)

    def _of(self, sharing: Sharing, asker: Asker | None = None) -> dict[str, str]:
        if asker is None:
            asker = Asker.VISITOR if sharing.way.is_link else Asker.NAMED
        cookies = []
        if asker is Asker.NAMED:
            cookies.append(self._cookies[sharing.way]["Cookie"])
        elif asker.is_signed_in:
            cookies.append(self._other["Cookie"])
        if asker in (Asker.VISITOR, Asker.VISITOR_WITH_ACCOUNT):
            cookies.append(self._visits[sharing.way])
        return {"Cookie": "; ".join(cookies)} if cookies else {}

    def _path(self, cell: SharedCell) -> str:
        through = cell.sharing.way.has_collection
        return (
            cell.route.pattern.replace("<video>", self._videos[through])
            .replace("<collection>", self._collection)
            .replace("<grant>", self._friends[through])
            .replace("<language>", "en")
            .replace("<rendition>", self._rendition)
        )

    def _body(self, cell: SharedCell, friend: str) -> dict[str, Any]:
        if cell.route.pattern == "/stream/<video>/captions":
            return {"data": fields_of(FORMS, cell.route), "files": _CAPTION_FILE}
        names = {"friend": friend, "video": self._videos[cell.sharing.way.has_collection]}
        if fields := fields_of(JSON, cell.route, **names):
            return {"json": fields}
        return {"data": fields_of(FORMS, cell.route, **names)}

    # --- people and videos ------------------------------------------------------------------------

    def new_person(self) -> str:
        """Make an account, and return its name."""
        return self._person()

    def _person(self) -> str:
        name = new_name()
        form = {"username": name, "password": PASSWORD, "role": "uploader"}
        answer = unless_busy(
            lambda: self.request("POST", "/admin/users", data=form, headers=self._operator)
        )
        assert answer.status_code == 303, answer.text
        return name

    def _sign_in(self, name: str) -> dict[str, str]:
        return sign_in(self._url, name)

    def _make(self, path: str, body: dict[str, Any]) -> str:
        made: str = self.as_owner("POST", path, json=body).json()["id"]
        return made

    def _group(self, member: str) -> str:
        group = self._make("/api/groups", {"name": "Friends"})
        self.as_owner("PUT", f"/api/groups/{group}/members/{member}")
        return group

    def _upload(self, video_bytes: bytes) -> str:
        files = {"file": ("video.mp4", video_bytes, "video/mp4")}
        answer = self.as_owner("POST", "/upload", data={"title": TITLE}, files=files)
        video = answer.headers["Location"].removeprefix("/stream/")
        track = {"language": "en"}
        self.as_owner("POST", f"/stream/{video}/captions", data=track, files=_CAPTION_FILE)
        return video

    def _wait_for_processing(self, video: str) -> None:
        def is_done() -> bool:
            told = self.as_owner("GET", f"/api/videos/{video}/progress").json()
            return bool(told["state"] == "done")

        wait_until(is_done, within=_PROCESSING, what="a video that is processed")

    def _playlist(self, way: Way) -> str:
        return f"/stream/{self._videos[way.has_collection]}/master.m3u8"

    def _find_rendition(self, video: str) -> str:
        master = self.as_owner("GET", f"/stream/{video}/master.m3u8").text
        name = next(line for line in master.splitlines() if line and line[0] != "#")
        return name.removeprefix("hls/").removesuffix(".m3u8")


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def is_tried(cell: SharedCell) -> bool:
    """Tell whether a cell is tried over HTTP as well as in one process.

    These are the ones in which a front server could make a difference. Media are asked for in all
    ways, as long as something is shared and after. A front server knows a person, who has a
    session, from a visitor with a link, so one way each is enough for methods that media do not
    take, and for what it only hands on.
    """
    always = cell.sharing.validity is Validity.NEVER_ENDS
    if cell.asker is Asker.VISITOR_WITH_ACCOUNT and not always:
        return False
    if cell.route.is_media and cell.method == "GET":
        return True
    if not always or cell.sharing.way not in (Way.USER, Way.LINK, Way.COLLECTION_LINK):
        return False
    if cell.route.is_media:
        return cell.sharing.level is Level.WATCH
    return cell.method in cell.route.grants and (cell.is_safe or cell.asker.is_meant)
