"""Sends a file over tus with `sendfile(2)`, so that the client costs as little as a client can."""

import os
import socket
import time
from collections.abc import Mapping
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.multipart import Posted, UploadError

_PIECE = 1 << 24
_PATIENCE = 300  # seconds


def send_tus(url: str, file: Path, *, cookie: str, request_size: int | None = None) -> Posted:
    """Send a file, all requests on one connection, and time it from announcing to the last answer.

    :param url: of the site.
    :param request_size: bytes of one request; None sends everything in one.
    :raises UploadError: a request was not taken.
    """
    where = urlsplit(url)
    size = file.stat().st_size
    began = time.perf_counter()
    with (
        file.open("rb") as source,
        socket.create_connection((where.hostname or "", where.port or 80), _PATIENCE) as wire,
    ):
        common = {"Host": where.netloc, "Cookie": cookie, "Tus-Resumable": "1.0.0"}
        made = _ask(wire, "POST", "/upload/files", common | {"Upload-Length": str(size)})
        path = made["Location"]
        answer: Mapping[str, str] = {}
        at = 0
        while at < size:
            length = min(request_size or size, size - at)
            headers = common | {
                "Content-Type": "application/offset+octet-stream",
                "Upload-Offset": str(at),
                "Content-Length": str(length),
            }
            answer = _ask(wire, "PATCH", path, headers, source.fileno(), at, length)
            at += length
    ended = time.perf_counter()
    return Posted(ended - began, ended, answer["Upload-Video"].rpartition("/")[2])


def _ask(
    wire: socket.socket,
    method: str,
    path: str,
    headers: Mapping[str, str],
    source: int = -1,
    at: int = 0,
    length: int = 0,
) -> Mapping[str, str]:
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
    wire.sendall("\r\n".join([*lines, "", ""]).encode())
    wire.setblocking(True)
    end = at + length
    while at < end:
        at += os.sendfile(wire.fileno(), source, at, min(_PIECE, end - at))
    wire.settimeout(_PATIENCE)
    response = HTTPResponse(wire, method=method)
    response.begin()
    body = response.read()
    if response.status not in (201, 204):
        raise UploadError(f"{method} {path}: {response.status} {body[:500]!r}")
    return dict(response.getheaders())
