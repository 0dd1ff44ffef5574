"""Which videos a list has: search words and filters, as conditions in SQL."""

import enum
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from common.access import Viewer, Watcher
from common.access_queries import granted_to, sees_collection
from common.forecast import OPEN_STATES
from common.names import name_key
from common.titles import clean_line
from db.collation import fold
from db.models import (
    Collection,
    CollectionItem,
    Job,
    JobKind,
    JobState,
    SearchWord,
    Tag,
    User,
    Video,
    VideoTag,
    Visibility,
)
from db.search_words import typed_words
from streaming_service.videos.tags import tag_key

_WORDS = 10  # of a search; further ones are not looked at
_LAST_CHARACTER = "\U0010ffff"
_SHORT, _LONG = 4 * 60_000, 20 * 60_000  # milliseconds


class OwnerFilter(enum.StrEnum):
    """Whose videos to list: all that the viewer may see, or some of them.

    `shared` are those that others share with the viewer by grants; `public` anyone may watch.
    """

    ALL = "all"
    MINE = "mine"
    SHARED = "shared"
    PUBLIC = "public"


class LengthFilter(enum.StrEnum):
    """How long a video is: under 4 minutes, up to 20, or longer."""

    ANY = ""
    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"


class StateFilter(enum.StrEnum):
    """How far its processing is: all done, not yet, or it failed (in part)."""

    ANY = ""
    READY = "ready"
    PROCESSING = "processing"
    FAILED = "failed"


@dataclass(frozen=True)
class Filters:
    """What a list is limited to.

    :ivar search: words that all have to begin a word of title or description, or to occur in the
        owner's name, a tag, or the title of a collection that the viewer sees. Accents and case do
        not count.
    :ivar by: the name of the owner, as logins compare names.
    :ivar since: the first day of upload, in UTC; `until` the last.
    """

    search: str = ""
    by: str = ""
    whose: OwnerFilter = OwnerFilter.ALL
    tag: str = ""
    length: LengthFilter = LengthFilter.ANY
    since: date | None = None
    until: date | None = None
    state: StateFilter = StateFilter.ANY

    @property
    def are_set(self) -> bool:
        """Whether anything but whose videos and the search is limited."""
        return bool(self.by or self.tag or self.length or self.since or self.until or self.state)


def search_words(text: str) -> list[str]:
    """Return the words of a search, folded as those of `SearchWord`."""
    return typed_words(clean_line(text))[:_WORDS]


def conditions(session: Session, viewer: Viewer, filters: Filters) -> list[ColumnElement[bool]]:
    """Return the conditions on `Video`; whether the viewer may see it is none of them."""
    watcher = Watcher(viewer)
    wanted = [_has_word(session, watcher, word) for word in search_words(filters.search)]
    if filters.whose is OwnerFilter.MINE:
        wanted.append(Video.owner_id == viewer.id)
    elif filters.whose is OwnerFilter.SHARED:
        wanted += [Video.owner_id != viewer.id, granted_to(watcher)]
    elif filters.whose is OwnerFilter.PUBLIC:
        wanted.append(Video.visibility == Visibility.PUBLIC)
    if filters.by:
        named = select(User.id).where(User.name_key == name_key(filters.by))
        wanted.append(Video.owner_id.in_(named))
    if filters.tag:
        tagged = select(VideoTag.video_id).join(Tag, Tag.id == VideoTag.tag_id)
        wanted.append(Video.id.in_(tagged.where(Tag.name_key == tag_key(filters.tag))))
    if filters.length:
        wanted.append(_has_length(filters.length))
    if filters.since is not None:
        wanted.append(Video.created_at >= _midnight(filters.since))
    if filters.until is not None and filters.until < date.max:
        wanted.append(Video.created_at < _midnight(filters.until + timedelta(days=1)))
    if filters.state:
        wanted.append(_has_state(filters.state))
    return wanted


def _has_word(session: Session, watcher: Watcher, word: str) -> ColumnElement[bool]:
    tagged = select(VideoTag.video_id).join(Tag, Tag.id == VideoTag.tag_id)
    collected = (
        select(CollectionItem.video_id)
        .join(Collection, Collection.id == CollectionItem.collection_id)
        .where(sees_collection(watcher))
    )
    return or_(
        Video.id.in_(select(SearchWord.video_id).where(has_beginning(word))),
        Video.owner_id.in_(select(User.id).where(contains(session, User.name, word))),
        Video.id.in_(tagged.where(contains(session, Tag.name, word))),
        Video.id.in_(collected.where(contains(session, Collection.title, word))),
    )


def has_beginning(word: str) -> ColumnElement[bool]:
    """Return the condition that a row of `SearchWord` begins with a folded word."""
    return and_(SearchWord.word >= word, SearchWord.word < word + _LAST_CHARACTER)


def begins_with(
    session: Session, column: InstrumentedAttribute[str], text: str
) -> ColumnElement[bool]:
    """Return the condition that a column begins with a text; accents and case do not count."""
    if session.get_bind().dialect.name == "sqlite":
        return func.instr(func.fold(column), fold(text)) == 1
    return column.istartswith(text, autoescape=True)


def contains(
    session: Session, column: InstrumentedAttribute[str], word: str
) -> ColumnElement[bool]:
    """Return the condition that a column contains a text; accents and case do not count."""
    if session.get_bind().dialect.name == "sqlite":
        return func.instr(func.fold(column), fold(word)) > 0
    # The collation of the columns passes over accents and case.
    return column.icontains(word, autoescape=True)


def _has_length(length: LengthFilter) -> ColumnElement[bool]:
    if length is LengthFilter.SHORT:
        return Video.duration_ms < _SHORT
    if length is LengthFilter.MEDIUM:
        return Video.duration_ms.between(_SHORT, _LONG)
    return Video.duration_ms > _LONG


def _has_state(state: StateFilter) -> ColumnElement[bool]:
    failed = or_(Video.rejection_reason.is_not(None), _has_job(JobState.FAILED))
    if state is StateFilter.FAILED:
        return failed
    is_processing = and_(Video.rejection_reason.is_(None), _has_job(*OPEN_STATES))
    return is_processing if state is StateFilter.PROCESSING else not_(or_(is_processing, failed))


def _has_job(*states: JobState) -> ColumnElement[bool]:
    return exists().where(
        Job.video_id == Video.id, Job.kind != JobKind.POSTER, Job.state.in_(states)
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
