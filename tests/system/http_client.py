"""Somebody with a browser, as far as HTTP goes."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

BUSY = 503
PASSWORD = "correct horse battery"
TIMEOUT = 30  # seconds


def unless_busy(ask: Callable[[], requests.Response]) -> requests.Response:
    """Ask again, as the answer tells one to, while a store is slower than somebody should wait."""
    for _ in range(5):
        answer = ask()
        if answer.status_code != BUSY:
            break
        time.sleep(float(answer.headers.get("Retry-After", 1)))
    return answer


class Person(requests.Session):
    """Keeps cookies, follows no redirects by itself, and sends what a browser sends of its site."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.trust_env = False
        self.headers["Sec-Fetch-Site"] = "same-origin"
        self.headers["Accept"] = "text/html"

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send a request to a path of the site."""
        options.setdefault("allow_redirects", False)
        options.setdefault("timeout", TIMEOUT)
        where = url if url.startswith("http") else f"{self.url}{url}"
        return super().request(method, where, **options)

    def upload(self, path: Path, *, title: str = "A video", **options: Any) -> str:
        """Upload a file through the form, and return the id of the video that it became."""
        answer = self.post_form(path, title=title, **options)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"].removeprefix("/stream/")

    def post_form(
        self, path: Path, *, title: str = "A video", submission: str | None = None
    ) -> requests.Response:
        """Post the upload form with a file, as a browser without JavaScript does."""
        fields = {"submission": submission or secrets.token_hex(11), "title": title}
        with path.open("rb") as file:
            return self.post("/upload", data=fields, files={"file": (path.name, file, "video/mp4")})

    def video_ids(self) -> list[str]:
        """Return the ids of the videos that they see. What else is told changes with time."""
        return [video["id"] for video in self.get("/api/videos").json()["videos"]]

    def show(self, video: str, visibility: str) -> None:
        """Change who may watch a video."""
        answer = self.patch(f"/api/videos/{video}", json={"visibility": visibility})
        assert answer.status_code == 200, answer.text


def sign_up(url: str, name: str) -> Person:
    """Make an account, and return its owner, signed in."""
    person = Person(url)
    answer = person.post("/register", data={"username": name, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return person


def sign_in(url: str, name: str, password: str = PASSWORD) -> Person:
    """Sign in to an account that is there, as from another browser."""
    person = Person(url)
    answer = person.post("/login", data={"username": name, "password": password})
    assert answer.status_code == 303, answer.text
    return person
