"""Forms as browsers send them, byte by byte."""

from typing import Any

from werkzeug.test import Client, TestResponse

BOUNDARY = "----WebKitFormBoundaryQ7nTz1"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def text_part(name: str, value: str | bytes) -> bytes:
    """Return a field of text."""
    content = value.encode() if isinstance(value, str) else value
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content


def file_part(content: bytes, file_name: str = "video.mp4", name: str = "file") -> bytes:
    """Return a field with a file."""
    head = f'Content-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
    return head.encode() + b"Content-Type: video/mp4\r\n\r\n" + content


def form_body(*parts: bytes) -> bytes:
    """Return the parts as one body."""
    lines = [b"--" + BOUNDARY.encode() + b"\r\n" + part + b"\r\n" for part in parts]
    return b"".join(lines) + b"--" + BOUNDARY.encode() + b"--\r\n"


def send(
    client: Client,
    *parts: bytes,
    json: bool = True,
    path: str = "/upload",
    site: str = "",
    **options: Any,
) -> TestResponse:
    """Post a form of these parts.

    :param site: which site is behind it, as `Sec-Fetch-Site` says; empty: nothing is said.
    """
    headers = {"Accept": "application/json"} if json else {}
    headers |= {"Sec-Fetch-Site": site} if site else {}
    options.setdefault("content_type", CONTENT_TYPE)
    return client.post(path, data=form_body(*parts), headers=headers, **options)
