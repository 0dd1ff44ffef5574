"""What other sites are told of a public video: its frame size, and the tags that previews use."""

from common.web.urls import watch_url
from db.models import Video, Visibility

_DEFAULT_SIZE = (640, 360)  # pixels, of a video whose frame size is not known
_LARGEST = 1280  # pixels; a frame that is larger fits no page


def fit(size: tuple[int, int], max_width: int | None, max_height: int | None) -> tuple[int, int]:
    """Shrink a size into limits, and keep its shape."""
    width, height = size
    scale = min(1.0, (max_width or width) / width, (max_height or height) / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def frame_size(video: Video) -> tuple[int, int]:
    """Return width and height of the frame that shows a video, in pixels."""
    if not video.width or not video.height:
        return _DEFAULT_SIZE
    return fit((video.width, video.height), _LARGEST, _LARGEST)


def social_tags(video: Video, *, root: str, poster: str | None) -> list[tuple[str, str]]:
    """Return the Open Graph and player tags of a video, by which chat programs preview its page.

    Only a public video has any: a preview is made without a session, and shown to anybody.

    :param root: of the site, such as `https://video.example.org`.
    :param poster: its path, if there is one.
    """
    if video.visibility is not Visibility.PUBLIC or video.rejection_reason is not None:
        return []
    width, height = frame_size(video)
    player = f"{root}/embed/{video.id}"
    tags = [
        ("og:site_name", "Matinee"),
        ("og:type", "video.other"),
        ("og:title", video.title),
        ("og:url", root + watch_url(video.id)),
        ("og:video", player),
        ("og:video:type", "text/html"),
        ("og:video:width", str(width)),
        ("og:video:height", str(height)),
        ("twitter:card", "player"),
        ("twitter:player", player),
        ("twitter:player:width", str(width)),
        ("twitter:player:height", str(height)),
    ]
    if video.description:
        tags.append(("og:description", video.description[:300]))
    if poster:
        tags.append(("og:image", root + poster))
    return tags
