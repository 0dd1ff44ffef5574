"""Suggestions while somebody types a search: videos, people, tags and collections they may see."""

from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from common.access import Viewer, Watcher
from common.access_queries import asked_by, sees_collection, visible_to
from common.titles import clean_line
from common.web.urls import watch_url
from db.engine import transaction
from db.models import Collection, SearchWord, Tag, User, Video, VideoTag
from streaming_service.videos.filters import begins_with, contains, has_beginning, search_words
from streaming_service.videos.library import SEARCH_LIMIT

_VIDEOS, _OTHERS = 5, 3  # suggestions of each kind, at most


@dataclass(frozen=True)
class SearchSuggestion:
    """Something that a search may mean.

    :ivar kind: `video`, `person`, `tag` or `collection`.
    :ivar url: leads to it.
    """

    kind: str
    text: str
    url: str


@transaction(writes=False)
def suggest_searches(session: Session, viewer: Viewer, text: str) -> list[SearchSuggestion]:
    """Return what a text that is being typed may mean to a viewer; accents and case do not count.

    Four queries, however many there are.
    """
    text = clean_line(text)[:SEARCH_LIMIT]
    words = search_words(text)
    if not words:
        return []
    asked = asked_by(Watcher(viewer))
    visible = [visible_to(Watcher(viewer)), Video.binned_at.is_(None)]
    titled = [
        Video.id.in_(select(SearchWord.video_id).where(has_beginning(word))) for word in words
    ]
    videos = (
        select(Video.id, Video.title)
        .where(*visible, *titled)
        .order_by(Video.created_at.desc(), Video.id)
        .limit(_VIDEOS)
    )
    owns = exists().where(Video.owner_id == User.id, *visible)
    people = (
        select(User.name).where(begins_with(session, User.name, text), owns).order_by(User.name)
    )
    is_used = exists().where(VideoTag.tag_id == Tag.id, VideoTag.video_id == Video.id, *visible)
    tags = select(Tag.name).where(begins_with(session, Tag.name, text), is_used).order_by(Tag.name)
    collections = (
        select(Collection.id, Collection.title)
        .where(contains(session, Collection.title, text), sees_collection(Watcher(viewer)))
        .order_by(func.lower(Collection.title), Collection.id)
    )
    found = [
        SearchSuggestion("video", row.title, watch_url(row.id))
        for row in session.execute(videos.params(asked))
    ]
    found += [
        SearchSuggestion("person", name, f"/stream?{urlencode({'by': name})}")
        for name in session.scalars(people.limit(_OTHERS).params(asked))
    ]
    found += [
        SearchSuggestion("tag", name, f"/stream?{urlencode({'tag': name})}")
        for name in session.scalars(tags.limit(_OTHERS).params(asked))
    ]
    found += [
        SearchSuggestion("collection", row.title, f"/collections/{row.id}")
        for row in session.execute(collections.limit(_OTHERS).params(asked))
    ]
    return found
