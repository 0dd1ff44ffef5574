"""What a film of the demonstration is: its picture, its words and who may watch it."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["mountains", "sea", "city", "forest", "snow", "field", "night", "pattern"]


@dataclass(frozen=True)
class Scene:
    """A drawn landscape, or a pattern of ffmpeg's.

    :param colours: sky above, sky at the horizon, far ground, near ground; as `#rrggbb`.
    :param source: of a `pattern`: an ffmpeg source without its size and rate.
    """

    kind: Kind
    colours: tuple[str, str, str, str] = ("#1b2a49", "#f4a261", "#6d597a", "#22223b")
    source: str = ""


@dataclass(frozen=True)
class Film:
    """A film to make and to upload.

    :param owner: the user name of whoever uploads it.
    :param seconds: its length.
    :param size: width and height in pixels, both even.
    :param chapters: seconds and titles; they are added to the description as lines.
    :param words: what is spoken, and shown as captions if `captions` says so.
    :param captions: languages, with a sentence for each of the spoken ones.
    :param codec: `h264` or `hevc`.
    :param position: how far the administrator has watched it, in per cent; 0 is not at all.
    """

    title: str
    owner: str
    seconds: int
    scene: Scene
    description: str = ""
    tags: tuple[str, ...] = ()
    size: tuple[int, int] = (640, 360)
    visibility: Literal["private", "members", "public"] = "members"
    downloadable: bool = False
    chapters: tuple[tuple[int, str], ...] = ()
    words: tuple[str, ...] = ()
    captions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    codec: Literal["h264", "hevc"] = "h264"
    position: int = 0

    @property
    def text(self) -> str:
        """The description with its chapters, a line each."""
        lines = [f"{at // 60}:{at % 60:02} {title}" for at, title in self.chapters]
        return "\n".join([self.description, *([""] if lines else []), *lines]).strip()


@dataclass(frozen=True)
class Grant:
    """Somebody who is given a film or collection.

    :param title: of the film or collection; its owner gives it.
    :param to: a user name, or the name of a group.
    :param days: when it ends; 0 is never.
    """

    title: str
    to: str
    level: Literal["watch", "download", "edit", "share"] = "watch"
    days: int = 0
