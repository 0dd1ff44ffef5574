"""Tags of videos: words that those who may edit a video mark it with."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from common.access import Viewer
from common.errors import Unprocessable
from common.live import is_live
from common.titles import clean_line
from common.translation import gettext
from db.models import TAG_LIMIT, Tag, Video, VideoTag

MAX_TAGS = 20
"""Tags of one video."""

_SUGGESTIONS = 100
_KEY_LIMIT = 3 * TAG_LIMIT  # characters of the column


def tag_key(name: str) -> str:
    """Return a tag as it is compared."""
    return unicodedata.normalize("NFKC", name).casefold()


def split_tags(text: str) -> list[str]:
    """Read tags that are separated by commas, as the form has them."""
    return [tag for tag in text.split(",") if clean_line(tag)]


def checked_tags(names: Iterable[str]) -> dict[str, str]:
    """Return tags by their keys, cleaned, each once.

    :raises Unprocessable: one is empty, too long or has a comma, or there are too many.
    """
    tags: dict[str, str] = {}
    for name in names:
        tag = clean_line(name)
        if not tag or "," in tag:
            raise Unprocessable(gettext("A tag is not empty, and has no comma."))
        key = tag_key(tag)
        # Compatibility characters can become up to 18 others.
        if len(tag) > TAG_LIMIT or len(key) > _KEY_LIMIT:
            raise Unprocessable(
                gettext("A tag has %(tag_limit)s characters at most.", tag_limit=TAG_LIMIT)
            )
        tags.setdefault(key, tag)
    if len(tags) > MAX_TAGS:
        raise Unprocessable(gettext("A video has %(max_tags)s tags at most.", max_tags=MAX_TAGS))
    return tags


def set_tags(session: Session, video_id: str, names: Iterable[str]) -> None:
    """Give a video these tags and no others. A tag that others use is spelled as they spell it.

    Call it through `changes.upsert`: two requests may add the same tag.

    :raises Unprocessable: a tag is wrong, or there are too many.
    """
    wanted = checked_tags(names)
    tag_ids = _add_missing(session, wanted, _known_ids(session, wanted))
    session.execute(delete(VideoTag).where(VideoTag.video_id == video_id))
    session.add_all(VideoTag(video_id=video_id, tag_id=tag_id) for tag_id in tag_ids)
    session.flush()


def _known_ids(session: Session, tags: Mapping[str, str]) -> dict[str, int]:
    """Return the ids of those of these tags that are in use, by their keys."""
    wanted = select(Tag.name_key, Tag.id).where(Tag.name_key.in_(tags.keys()))
    return {row.name_key: row.id for row in session.execute(wanted)}


def _add_missing(session: Session, tags: Mapping[str, str], known: Mapping[str, int]) -> list[int]:
    """Add the tags that are not known; return the ids of all."""
    added = [Tag(name=name, name_key=key) for key, name in tags.items() if key not in known]
    session.add_all(added)
    session.flush()
    return [*known.values(), *(tag.id for tag in added)]


def change_tags(
    session: Session, video_ids: Sequence[str], tags: Mapping[str, str], *, adds: bool
) -> list[str]:
    """Add tags to several videos, or take them away; return the ids of those that now have it so.

    A video that would have more than :data:`MAX_TAGS` stays as it is. Call it through
    `changes.upsert`.

    :param tags: from :func:`checked_tags`.
    """
    known = _known_ids(session, tags)
    if not adds:
        session.execute(
            delete(VideoTag).where(
                VideoTag.video_id.in_(video_ids), VideoTag.tag_id.in_(known.values())
            ),
            execution_options={"synchronize_session": False},
        )
        return list(video_ids)
    given: dict[str, set[int]] = {video_id: set() for video_id in video_ids}
    present = select(VideoTag.video_id, VideoTag.tag_id).where(VideoTag.video_id.in_(video_ids))
    for row in session.execute(present):
        given[row.video_id].add(row.tag_id)
    fresh = len(tags) - len(known)
    changed = [i for i, has in given.items() if len(has.union(known.values())) + fresh <= MAX_TAGS]
    if not changed:
        return []
    tag_ids = _add_missing(session, tags, known)
    session.add_all(
        VideoTag(video_id=video_id, tag_id=tag_id)
        for video_id in changed
        for tag_id in tag_ids
        if tag_id not in given[video_id]
    )
    session.flush()
    return changed


def tags_of(session: Session, videos: Sequence[Video]) -> Mapping[str, list[str]]:
    """Return the tags of each of these videos, by its id, in their order. One query."""
    found: dict[str, list[str]] = {video.id: [] for video in videos}
    wanted = (
        select(VideoTag.video_id, Tag.name)
        .join(Tag, Tag.id == VideoTag.tag_id)
        .where(VideoTag.video_id.in_(found.keys()))
        .order_by(Tag.name_key)
    )
    for row in session.execute(wanted):
        found[row.video_id].append(row.name)
    return found


def tags_used_by(session: Session, viewer: Viewer) -> list[str]:
    """Return the tags of a viewer's own videos, the most used first."""
    wanted = (
        select(Tag.name)
        .join(VideoTag, VideoTag.tag_id == Tag.id)
        .join(Video, Video.id == VideoTag.video_id)
        .where(Video.owner_id == viewer.id, Video.binned_at.is_(None), is_live())
        .group_by(Tag.id, Tag.name)
        .order_by(func.count().desc(), Tag.name)
        .limit(_SUGGESTIONS)
    )
    return list(session.scalars(wanted))
