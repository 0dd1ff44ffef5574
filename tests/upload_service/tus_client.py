"""A tus client that sends what it is told to, right or wrong."""

import base64
import hashlib
from typing import Any

from werkzeug.test import Client, TestResponse

OCTETS = "application/offset+octet-stream"


def metadata(**values: str | bytes) -> str:
    """Return an `Upload-Metadata` header."""
    pairs = []
    for key, value in values.items():
        content = value.encode() if isinstance(value, str) else value
        pairs.append(f"{key} {base64.b64encode(content).decode()}")
    return ",".join(pairs)


def checksum(content: bytes, algorithm: str = "sha256") -> str:
    """Return an `Upload-Checksum` header."""
    digest = hashlib.new(algorithm, content).digest()
    return f"{algorithm} {base64.b64encode(digest).decode()}"


class Tus:
    """Speaks tus for one browser."""

    def __init__(self, browser: Client) -> None:
        self.browser = browser

    def send(
        self, method: str, where: str = "/upload/files", content: bytes = b"", **headers: str
    ) -> TestResponse:
        """Send a request; header names are written with underscores, None leaves one out."""
        given = {"Tus-Resumable": "1.0.0"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        options: dict[str, Any] = {"data": content} if content else {}
        kept = {name: value for name, value in given.items() if value is not None}
        return self.browser.open(where, method=method, headers=kept, **options)

    def create(self, length: int | None = None, content: bytes = b"", **headers: str) -> Any:
        if length is not None:
            headers["Upload_Length"] = str(length)
        if content:
            headers.setdefault("Content_Type", OCTETS)
        return self.send("POST", content=content, **headers)

    def begin(self, length: int | None = None, **headers: str) -> str:
        """Make an upload, and return its address."""
        answer = self.create(length, **headers)
        assert answer.status_code == 201, answer.text
        where: str = answer.headers["Location"]
        return where

    def patch(self, where: str, offset: int, content: bytes = b"", **headers: str) -> TestResponse:
        headers.setdefault("Content_Type", OCTETS)
        return self.send("PATCH", where, content, Upload_Offset=str(offset), **headers)

    def head(self, where: str) -> TestResponse:
        return self.send("HEAD", where)

    def offset(self, where: str) -> int:
        answer = self.head(where)
        assert answer.status_code == 200, answer.status
        return int(answer.headers["Upload-Offset"])
