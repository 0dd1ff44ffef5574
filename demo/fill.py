"""Fill a site: people, groups, films, collections, grants, links and positions.

Each step looks at what is there first, so that a second run, or one after an interruption, adds
only what is missing.
"""

import itertools
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demo.catalogue import (
    ADMINISTRATOR,
    BINNED,
    COLLECTIONS,
    FILMS,
    GRANTS,
    GROUPS,
    LINK_OF_A_WEEK,
    LINKS,
    PASSWORD,
    PEOPLE,
    PREPARING_FILM,
    REFUSED,
    UNFINISHED,
)
from demo.client import Client, RequestRefused
from demo.films import Film
from demo.rendering import Studio

Tell = Callable[[str], None]
_READY_LIMIT = 180  # seconds until a site must answer
_CAPTION_SECONDS = 4


class SiteInUse(Exception):
    """The site has accounts of other people: it is no place for a demonstration."""

    def __init__(self, url: str) -> None:
        super().__init__(f"{url} has accounts of other people. Nothing was added to it.")


@dataclass
class Demo:
    """What is in a site after it was filled: ids by title or name."""

    url: str
    videos: dict[str, str] = field(default_factory=dict)
    collections: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)


def fill(
    url: str, folder: Path, *, films: int | None = None, tell: Tell = lambda _line: None
) -> Demo:
    """Fill a site, and return what is in it.

    A film that is uploaded can be watched at once; it is prepared afterwards.

    :param url: of a site that runs, or starts: it is waited for, three minutes at most.
    :param folder: where films are kept once they are made.
    :param films: how many of the forty, those that are made fastest; None is all of them, and the
        special cases (one that is refused, one in preparation, one of which a part has arrived).
    :param tell: is given a line for each step.
    :raises SiteInUse: it has accounts of other people.
    :raises RequestRefused: the site does not take a step.
    """
    fastest = sorted(FILMS, key=lambda film: film.seconds * film.size[0] * film.size[1])[:films]
    chosen = tuple(film for film in FILMS if film in fastest)
    if films is None:
        chosen = (PREPARING_FILM, *FILMS)
    return _Filling(url, Studio(folder), tell).run(chosen, everything=films is None)


class _Filling:
    def __init__(self, url: str, studio: Studio, tell: Tell) -> None:
        self._studio = studio
        self._tell = tell
        self._people: dict[str, Client] = {name: Client(url) for name in PEOPLE}
        self._demo = Demo(url)

    def run(self, films: tuple[Film, ...], *, everything: bool) -> Demo:
        try:
            self._add_people()
            self._add_groups()
            self._demo.videos = self._known_videos()
            if everything:
                self._add_odd_files()
            self._upload(films)
            self._collect()
            self._share()
            self._add_links()
            self._watch(films)
            if everything:
                self._bin()
        finally:
            for client in self._people.values():
                client.close()
        return self._demo

    def _add_people(self) -> None:
        self._tell(f"People: {', '.join(PEOPLE)}")
        first = self._people[ADMINISTRATOR]
        self._wait_for(first)
        if not first.sign_in(ADMINISTRATOR, PASSWORD):
            self._create_administrator(first)
        for name, role in PEOPLE.items():
            client = self._people[name]
            if name != ADMINISTRATOR and not client.sign_in(name, PASSWORD):
                account = {"username": name, "password": PASSWORD, "role": role}
                first.post_form("/admin/users", account)
                client.sign_in(name, PASSWORD)

    @staticmethod
    def _create_administrator(client: Client) -> None:
        """Create the first account, and take it back if others were there before."""
        client.post_form("/register", {"username": ADMINISTRATOR, "password": PASSWORD})
        client.sign_in(ADMINISTRATOR, PASSWORD)
        if client.get("/api/session")["role"] != PEOPLE[ADMINISTRATOR]:
            client.post_form("/account/delete", {"password": PASSWORD})
            raise SiteInUse(client.url)

    @staticmethod
    def _wait_for(client: Client) -> None:
        """Return once the site answers, whatever it says."""
        deadline = time.monotonic() + _READY_LIMIT
        while True:
            try:
                client.try_to("GET", "/api/session")
            except (RequestRefused, OSError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)
            else:
                return

    def _add_groups(self) -> None:
        for name, (manager, members) in GROUPS.items():
            client = self._people[manager]
            known = {group["name"]: group["id"] for group in client.get("/api/groups")["groups"]}
            if name not in known:
                self._tell(f"Group: {name}")
                made = client.send("POST", "/api/groups", {"name": name, "for_everyone": False})
                known[name] = made["id"]
                for member in members:
                    client.send("PUT", f"/api/groups/{made['id']}/members/{member}", {})
            self._demo.groups[name] = known[name]

    def _known_videos(self) -> dict[str, str]:
        found = {}
        for name, role in PEOPLE.items():
            if role == "viewer":
                continue
            client = self._people[name]
            videos = [*client.videos("whose=mine"), *client.get("/api/bin")["videos"]]
            found.update({video["title"]: video["id"] for video in videos})
        return found

    def _upload(self, films: tuple[Film, ...]) -> None:
        videos = self._demo.videos
        # The first of the catalogue comes last, so that it is the first in the library.
        missing = [film for film in reversed(films) if film.title not in videos]
        for number, (film, file) in enumerate(self._studio.make_all(missing), 1):
            self._add_film(film, file)
            self._tell(f"Film {number} of {len(missing)}: {film.title}")

    def _add_film(self, film: Film, file: Path) -> None:
        client = self._people[film.owner]
        video = client.upload(file, title=film.title)
        self._demo.videos[film.title] = video
        facts = {
            "description": film.text,
            "visibility": film.visibility,
            "downloadable": film.downloadable,
            "tags": list(film.tags),
        }
        client.send("PATCH", f"/api/videos/{video}", facts)
        for language, lines in film.captions.items():
            path = f"/stream/{video}/captions"
            content = _captions(lines).encode()
            client.post_file(path, {"language": language}, name=f"{language}.vtt", content=content)

    def _add_odd_files(self) -> None:
        """Upload a file that is refused, and a part of another."""
        videos, client = self._demo.videos, self._people[ADMINISTRATOR]
        if REFUSED not in videos:
            self._tell(f"A file that cannot be played: {REFUSED}")
            with tempfile.TemporaryDirectory() as folder:
                damaged = Path(folder) / "damaged.mp4"
                damaged.write_bytes(_damage(self._studio.make(FILMS[-1]).read_bytes()))
                videos[REFUSED] = client.upload(damaged, title=REFUSED)
        uploads = client.get("/api/uploads")["uploads"]
        if not any(upload["title"] == UNFINISHED for upload in uploads):
            self._tell(f"An upload that was interrupted: {UNFINISHED}")
            client.upload(self._studio.make(FILMS[1]), title=UNFINISHED, part=0.4)

    def _collect(self) -> None:
        for title, (owner, description, films) in COLLECTIONS.items():
            client = self._people[owner]
            known = {
                one["title"]: one["id"] for one in client.get("/api/collections")["collections"]
            }
            if title not in known:
                self._tell(f"Collection: {title}")
                text = {"title": title, "description": description}
                known[title] = client.send("POST", "/api/collections", text)["id"]
            self._demo.collections[title] = known[title]
            for film in films:
                if video := self._demo.videos.get(film):
                    client.send("PUT", f"/api/collections/{known[title]}/items/{video}", {})

    def _share(self) -> None:
        for grant in GRANTS:
            if collection := self._demo.collections.get(grant.title):
                place = f"/api/collections/{collection}/grants"
            elif video := self._demo.videos.get(grant.title):
                place = f"/api/videos/{video}/grants"
            else:
                continue
            subject = {"user": grant.to}
            if grant.to in GROUPS:
                subject = {"group": self._demo.groups[grant.to]}
            until = _in_days(grant.days) if grant.days else None
            body = {**subject, "level": grant.level, "expires_at": until}
            # What was given before is answered with 409.
            self._people[_owner(grant.title)].try_to("POST", place, body)

    def _add_links(self) -> None:
        known = {
            link["label"]
            for name in PEOPLE
            for link in self._people[name].get("/api/links")["links"]
        }
        for title, label, options in LINKS:
            video = self._demo.videos.get(title)
            if video and label not in known:
                self._tell(f"Link: {label}")
                body = {"label": label, **options}
                if label == LINK_OF_A_WEEK:
                    body["expires_at"] = _in_days(7)
                self._people[_owner(title)].send("POST", f"/api/videos/{video}/links", body)

    def _watch(self, films: tuple[Film, ...]) -> None:
        """Let people have watched a part of some films, as the film says or by chance."""
        dice = random.Random(7)
        for film in films:
            video = self._demo.videos[film.title]
            if film.position:
                self._stop_at(ADMINISTRATOR, video, film, film.position)
            for name in PEOPLE:
                if name != ADMINISTRATOR and film.visibility != "private" and dice.random() < 0.15:
                    self._stop_at(name, video, film, dice.randrange(15, 75))

    def _stop_at(self, name: str, video: str, film: Film, percent: int) -> None:
        position = {"position_ms": film.seconds * 10 * percent}
        self._people[name].try_to("PUT", f"/api/videos/{video}/position", position)

    def _bin(self) -> None:
        video = self._demo.videos[BINNED]
        self._people[_owner(BINNED)].try_to("DELETE", f"/api/videos/{video}", {})


def _owner(title: str) -> str:
    """Return the user name of the owner of a film or collection."""
    if title in COLLECTIONS:
        return COLLECTIONS[title][0]
    return next(film.owner for film in FILMS if film.title == title)


def _in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def _captions(lines: tuple[str, ...]) -> str:
    """Return WebVTT with a sentence every four seconds."""
    cues = [
        f"00:00:{start:02}.000 --> 00:00:{start + 3:02}.800\n{line}"
        for start, line in zip(itertools.count(3, _CAPTION_SECONDS), lines, strict=False)
    ]
    return "\n\n".join(["WEBVTT", *cues, ""])


def _damage(content: bytes) -> bytes:
    """Return a film whose boxes are right and whose pictures and sound cannot be decoded."""
    start = content.rindex(b"mdat") + 4
    return content[:start] + random.Random(1).randbytes(len(content) - start)
