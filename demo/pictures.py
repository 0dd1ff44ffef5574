"""The pictures of the README and the documentation, and what each shows."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from demo.running import ROOT, tell

SCREENSHOTS = ROOT / "docs" / "screenshots"
SIZE_LIMIT = 200_000  # bytes of one picture
DESKTOP, PHONE = (1280, 800), (390, 844)
MOVING = "matinee.webp"
"""The moving picture: upload, share, and watching on a phone."""


@dataclass(frozen=True)
class Picture:
    """A page to take a picture of.

    :param name: of the file in `docs/screenshots`.
    :param path: of the page; `{video}` is the id of the video called `video`, and `{collection}`
        that of the collection called `collection`.
    :param who: the user name of whoever is signed in; empty is nobody.
    :param dialog: the name of a button that is pressed first, and opens a dialog.
    :param part: the id of the part of the page that is shown; empty is what the screen shows.
    :param plays: whether the film is played for a moment first.
    """

    name: str
    path: str
    who: str = "anna"
    size: tuple[int, int] = DESKTOP
    scheme: Literal["light", "dark"] = "light"
    video: str = "The long way round the lake"
    collection: str = "Summer 2026"
    dialog: str = ""
    part: str = ""
    plays: bool = False


PICTURES = (
    Picture("library.webp", "/stream"),
    Picture("library-dark.webp", "/stream", scheme="dark"),
    Picture("library-phone.webp", "/stream", size=PHONE),
    Picture("watch.webp", "/stream/{video}", who="ben", plays=True),
    Picture(
        "watch-phone.webp", "/stream/{video}", who="ben", size=PHONE, scheme="dark", plays=True
    ),
    Picture("share.webp", "/stream/{video}", who="ben", video="Campfire songs", dialog="Share"),
    Picture("collection.webp", "/collections/{collection}", who="ben"),
    Picture("upload.webp", "/upload", who="anna"),
    Picture("overview.webp", "/admin"),
    Picture("people.webp", "/admin/users"),
    *(
        Picture(f"design-{part}.webp", "/design", part=part)
        for part in (
            "colours",
            "type",
            "space",
            "buttons",
            "fields",
            "messages",
            "empty",
            "labels",
            "places",
            "cards",
            "pictures",
        )
    ),
    Picture("design-dark.webp", "/design", part="buttons", scheme="dark"),
    Picture("design-phone.webp", "/design", size=PHONE, dialog="Open a dialog"),
    Picture("sign-in.webp", "/login", who=""),
    Picture("sign-in-phone.webp", "/login", who="", size=PHONE),
)


def save(picture: Image.Image, name: str, *, qualities: Sequence[int], **options: object) -> None:
    """Write a picture as WebP, at the first quality at which it is small enough.

    :param qualities: the best first.
    :param options: of Pillow's writer of WebP.
    """
    for quality in qualities:
        written = io.BytesIO()
        picture.save(written, "WEBP", quality=quality, **options)
        if written.tell() < SIZE_LIMIT:
            break
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    (SCREENSHOTS / name).write_bytes(written.getvalue())
    tell(f"{name}: {written.tell() / 1000:.0f} kB")
