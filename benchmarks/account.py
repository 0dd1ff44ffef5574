"""An account of a Matinee under measurement, signed in over HTTP."""

import time
from pathlib import Path
from typing import Any

import requests

from benchmarks.form_client import post_form

PASSWORD = "correct horse battery"
COOKIE = "matinee_session"
_TIMEOUT = 30  # seconds
_TRIES = 60
_BUSY = 503


class Account(requests.Session):
    """Keeps cookies, follows no redirects, and sends the headers of a browser."""

    cookie_name = COOKIE

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.trust_env = False
        self.headers["Sec-Fetch-Site"] = "same-origin"
        self.headers["Accept"] = "text/html"

    @property
    def cookie(self) -> str:
        """The header that the browser sends, by which the site knows it."""
        return f"{self.cookie_name}={self.cookies[self.cookie_name]}"

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send a request to a path of the site.

        :raises requests.HTTPError: the answer is an error.
        """
        options.setdefault("allow_redirects", False)
        options.setdefault("timeout", _TIMEOUT)
        for _ in range(_TRIES):
            answer = super().request(method, f"{self.url}{url}", **options)
            if answer.status_code != _BUSY:  # others are having their passwords checked
                break
            time.sleep(float(answer.headers.get("Retry-After", "1")))
        answer.raise_for_status()
        return answer

    def upload(self, path: Path) -> str:
        """Upload a video through the form, and return its id.

        :raises UploadError: it was not accepted.
        """
        return post_form(f"{self.url}/upload", path, cookie=self.cookie).video

    def set_visibility(self, video: str, visibility: str) -> None:
        """Change who may watch a video."""
        self.patch(f"/api/videos/{video}", json={"visibility": visibility})

    def create_account(self, name: str, role: str) -> None:
        """Make an account as an administrator."""
        fields = {"username": name, "password": PASSWORD, "role": role}
        self.post("/admin/users", data=fields)


class Visitor(Account):
    """Somebody without an account, who has opened share links."""

    cookie_name = "matinee_visits"


def register(url: str, name: str) -> Account:
    """Make an account, and return it signed in. The first one is an administrator's."""
    account = Account(url)
    account.post("/register", data={"username": name, "password": PASSWORD})
    return account


def log_in(url: str, name: str, password: str = PASSWORD) -> Account:
    """Sign in to an account, as from another browser."""
    account = Account(url)
    account.post("/login", data={"username": name, "password": password})
    return account
