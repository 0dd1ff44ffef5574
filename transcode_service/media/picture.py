"""Read an image that somebody uploaded, in the confined child, and write it anew as a JPEG."""

from pathlib import Path
from typing import BinaryIO

# Pillow's own parts are loaded here, those for EXIF too: once the file is open no other can be.
from PIL import (
    Image,
    ImageOps,
    JpegImagePlugin,  # noqa: F401
    MpoImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from transcode_service.media.confine import seal
from transcode_service.media.source_info import UnplayableSource
from transcode_service.media.thumbnails import POSTER_SIDE, jpeg

_FORMATS = ("JPEG", "PNG", "WEBP")


def convert(path: Path, poster: BinaryIO, *, max_pixels: int) -> None:
    """Write an image as a JPEG, upright, at most 1280 pixels a side, without its metadata.

    :param poster: open for writing.
    :raises UnplayableSource: it is no image of a format that is accepted, or is too large.
    :raises OSError, ValueError: it is damaged.
    """
    Image.preinit()
    with path.open("rb") as file:
        seal()
        with Image.open(file, formats=_FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise UnplayableSource("This image has too many pixels.")
            image.draft("RGB", (POSTER_SIDE, POSTER_SIDE))
            upright = ImageOps.exif_transpose(image)
            picture = _on_black(upright)
            picture.thumbnail((POSTER_SIDE, POSTER_SIDE))
            picture.info.clear()  # a comment would be written again
            poster.write(jpeg(picture))


def _on_black(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    ground = Image.new("RGBA", layer.size, (0, 0, 0, 255))
    return Image.alpha_composite(ground, layer).convert("RGB")
