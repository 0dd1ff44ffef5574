"""How Flask applications commonly send a file. `PEER_FILE` names it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from flask import Flask, Response, request, send_file

_PIECE = 64 * 1024  # tutorials mostly take 4 or 8 KiB; this is kinder to them


def with_send_file() -> Flask:
    """Return an app of one route with Flask's own `send_file`."""
    app = Flask("with_send_file")
    path = os.environ["PEER_FILE"]

    @app.get("/video.mp4")
    def video() -> Response:
        return send_file(path, mimetype="video/mp4", conditional=True)

    return app


def with_generator() -> Flask:
    """Return an app of one route that reads and yields pieces of the range."""
    app = Flask("with_generator")
    path = Path(os.environ["PEER_FILE"])

    @app.get("/video.mp4")
    def video() -> Response:
        size = path.stat().st_size
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        first = int(found[1]) if found else 0
        last = int(found[2]) if found and found[2] else size - 1

        def pieces() -> Iterator[bytes]:
            left = last + 1 - first
            with path.open("rb") as file:
                file.seek(first)
                while left and (piece := file.read(min(_PIECE, left))):
                    left -= len(piece)
                    yield piece

        response = Response(pieces(), 206 if found else 200, mimetype="video/mp4")
        response.headers["Content-Length"] = str(last + 1 - first)
        response.headers["Accept-Ranges"] = "bytes"
        if found:
            response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        return response

    return app
