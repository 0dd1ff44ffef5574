"""A person of the demonstration, as far as HTTP goes."""

import base64
import http.client
import io
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from common.ids import new_id

_TIMEOUT = 60  # seconds for one request
_TRIES = 8  # of a request that is answered with 429 or 503
_LONGEST_WAIT = 5.0  # seconds between two of them


class RequestRefused(Exception):
    """The site answered with an error.

    :ivar status: of the answer.
    """

    def __init__(self, method: str, path: str, status: int, said: str) -> None:
        super().__init__(f"{method} {path}: {status} {said[:300]}")
        self.status = status


class Client:
    """Sends requests to one site, signed in with a token or not at all."""

    def __init__(self, url: str) -> None:
        """:param url: the site's address, `http://localhost:5000`."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            raise ValueError(f"{url} is not the address of a site.")
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self.url = url.rstrip("/")
        self._connection = kind(parts.hostname, parts.port, timeout=_TIMEOUT)
        self._headers = {"Accept": "application/json", "Sec-Fetch-Site": "same-origin"}

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._connection.close()

    def sign_in(self, name: str, password: str) -> bool:
        """Begin a session, and return whether there is such an account with that password."""
        answer = self.try_to("POST", "/api/session", {"username": name, "password": password})
        if answer is None:
            return False
        self._headers["Authorization"] = f"Bearer {answer['token']}"
        return True

    def get(self, path: str) -> Any:
        """Return the JSON of an address.

        :raises RequestRefused: it answers with an error.
        """
        return self.send("GET", path)

    def videos(self, query: str) -> Iterator[dict[str, Any]]:
        """Yield the videos of a list, page after page.

        :param query: which list, `whose=mine`.
        """
        after = ""
        while True:
            page = self.get(f"/api/videos?{query}{after}")
            yield from page["videos"]
            if page["next"] is None:
                return
            after = f"&after={page['next']}"

    def send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Send JSON, and return that of the answer.

        :raises RequestRefused: the site answers with an error.
        """
        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        _, answer = self._request(method, path, content, headers)
        return json.loads(answer) if answer.strip().startswith(b"{") else {}

    def try_to(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Send JSON, and return None if the site does not take it (401, 404, 409 or 422)."""
        try:
            return self.send(method, path, body)
        except RequestRefused as error:
            if error.status in (401, 404, 409, 422):
                return None
            raise

    def post_form(self, path: str, fields: Mapping[str, str]) -> None:
        """Send a form, as a page without scripts does.

        :raises RequestRefused: the site answers with an error.
        """
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
        self._request("POST", path, urlencode(fields).encode(), headers)

    def post_file(self, path: str, fields: Mapping[str, str], *, name: str, content: bytes) -> None:
        """Send a form with one file in the field `file`.

        :raises RequestRefused: the site answers with an error.
        """
        file = FileStorage(io.BytesIO(content), name)
        boundary, body = encode_multipart({**fields, "file": file})
        headers = {"Content-Type": f'multipart/form-data; boundary="{boundary}"'}
        self._request("POST", path, body, headers)

    def upload(self, file: Path, *, title: str, part: float = 1.0) -> str:
        """Upload an MP4 file with tus, in one request, and return the video's id.

        :param part: how much of it is sent; the rest would come later, and the id is empty.
        """
        content = file.read_bytes()
        # A submission that is sent twice is one video.
        told = {"filename": f"{title}.mp4", "title": title, "submission": new_id()}
        metadata = ",".join(
            f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items()
        )
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(len(content)),
            "Upload-Metadata": metadata,
            "Content-Type": "application/offset+octet-stream",
        }
        sent = content[: round(len(content) * part)]
        answered, _ = self._request("POST", "/upload/files", sent, headers)
        return answered.get("Upload-Video", "").rsplit("/", 1)[-1]

    def _request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPMessage, bytes]:
        """Send a request, again where the answer says to try later."""
        for attempt in range(_TRIES):
            try:
                self._connection.request(method, path, body, {**self._headers, **headers})
                response = self._connection.getresponse()
                answer = response.read()
            except (http.client.HTTPException, OSError):
                # A kept-alive connection may have been closed meanwhile; a site may be starting.
                self._connection.close()
                if attempt == _TRIES - 1:
                    raise
                time.sleep(min(_LONGEST_WAIT, 0.1 * 2**attempt))
                continue
            if response.status < 400:
                return response.headers, answer
            if response.status not in (429, 503) or attempt == _TRIES - 1:
                break
            wait = float(response.headers.get("Retry-After", 1))
            time.sleep(min(_LONGEST_WAIT, wait))
        raise RequestRefused(method, path, response.status, answer.decode(errors="replace"))
