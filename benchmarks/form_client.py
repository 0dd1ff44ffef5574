"""Posts the upload form with `sendfile(2)`, so that the client costs as little as possible."""

import json
import secrets
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

TIMEOUT = 300  # seconds


class UploadError(Exception):
    """An upload was not accepted."""


@dataclass(frozen=True)
class Uploaded:
    """The result of an upload.

    :ivar seconds: from the first byte to the whole answer.
    :ivar last_byte: when the last byte was given to the network, by `time.perf_counter`.
    :ivar video: the id of the new video; empty if there is none.
    """

    seconds: float
    last_byte: float
    video: str = ""


def connect(url: str, *, timeout: float = TIMEOUT) -> HTTPConnection:
    """Return a connection to the host of an address."""
    where = urlsplit(url)
    return HTTPConnection(where.hostname or "", where.port or 80, timeout=timeout)


def post_form(url: str, file: Path, *, cookie: str = "", timeout: float = TIMEOUT) -> Uploaded:
    """Post a file in a form, as a script does.

    :raises UploadError: the answer is not a success.
    :raises TimeoutError: there is none.
    """
    boundary = secrets.token_hex(16)
    fields = {"submission": secrets.token_hex(11), "title": "A video"}
    before = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    before += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="video.mp4"'
    before += "\r\nContent-Type: video/mp4\r\n\r\n"
    after = f"\r\n--{boundary}--\r\n"
    connection = connect(url, timeout=timeout)
    began = time.perf_counter()
    connection.putrequest("POST", urlsplit(url).path)
    connection.putheader("Accept", "application/json")
    connection.putheader("Cookie", cookie)
    connection.putheader("Content-Type", f"multipart/form-data; boundary={boundary}")
    length = len(before) + file.stat().st_size + len(after)
    connection.putheader("Content-Length", str(length))
    connection.endheaders(before.encode())
    with file.open("rb") as source:
        connection.sock.sendfile(source)
    connection.send(after.encode())
    last_byte = time.perf_counter()
    response = connection.getresponse()
    body = response.read()
    seconds = time.perf_counter() - began
    connection.close()
    if response.status not in (201, 204):
        raise UploadError(f"{url}: {response.status} {body[:500]!r}")
    video = json.loads(body)["id"] if response.status == 201 else ""
    return Uploaded(seconds, last_byte, str(video))
