"""Uploads a file over tus with `sendfile(2)`, so that the client costs as little as possible."""

import time
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.form_client import Uploaded, UploadError, connect


def upload_by_tus(
    url: str, file: Path, *, cookie: str = "", request_size: int | None = None
) -> Uploaded:
    """Upload a file on one connection, and time it from its creation to the last answer.

    :param url: of the tus endpoint.
    :param request_size: bytes of one PATCH; None sends everything in one.
    :raises UploadError: a request was not accepted.
    """
    size = file.stat().st_size
    connection = connect(url)
    began = time.perf_counter()
    path = create_upload(connection, urlsplit(url).path, size, cookie=cookie)
    offset, video = 0, ""
    with file.open("rb") as source:
        while offset < size:
            length = min(request_size or size, size - offset)
            start_patch(connection, path, offset, length, cookie=cookie)
            connection.sock.sendfile(source, offset, length)
            video = str(_answer(connection, 204).get("Upload-Video", "")).rpartition("/")[2]
            offset += length
    ended = time.perf_counter()
    connection.close()
    return Uploaded(ended - began, ended, video)


def create_upload(connection: HTTPConnection, path: str, size: int, *, cookie: str) -> str:
    """Create an upload of `size` bytes, and return its path.

    :raises UploadError: it was not accepted.
    """
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size), "Cookie": cookie}
    connection.request("POST", path, headers=headers)
    return urlsplit(_answer(connection, 201)["Location"]).path


def start_patch(
    connection: HTTPConnection, path: str, offset: int, length: int | None, *, cookie: str
) -> None:
    """Send the head of a PATCH; the body is the caller's to send.

    :param length: of the body; None is chunked transfer coding.
    """
    connection.putrequest("PATCH", path)
    connection.putheader("Tus-Resumable", "1.0.0")
    connection.putheader("Cookie", cookie)
    connection.putheader("Content-Type", "application/offset+octet-stream")
    connection.putheader("Upload-Offset", str(offset))
    if length is None:
        connection.putheader("Transfer-Encoding", "chunked")
    else:
        connection.putheader("Content-Length", str(length))
    connection.endheaders()


def _answer(connection: HTTPConnection, status: int) -> HTTPMessage:
    response = connection.getresponse()
    body = response.read()
    if response.status != status:
        raise UploadError(f"{response.status} {body[:500]!r}")
    return response.headers
