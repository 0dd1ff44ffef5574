"""The index of words by which videos are found, and what keeps it up to date."""

from typing import Any

from sqlalchemy import Connection, Index, delete, event, insert, inspect
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, VideoId, exact_text
from db.models.videos import Video
from db.search_words import WORD_LIMIT, indexed_words


class SearchWord(Base):
    """A word of a video's title or description; see `db.search_words`."""

    __tablename__ = "search_words"
    __table_args__ = (Index("ix_search_words_video_id", "video_id"), {"sqlite_with_rowid": False})

    word: Mapped[str] = mapped_column(exact_text(WORD_LIMIT), primary_key=True)
    video_id: Mapped[VideoId] = mapped_column(primary_key=True)


@event.listens_for(Video, "after_insert")
def _index_new(_mapper: Any, connection: Connection, video: Video) -> None:
    _index(connection, video)


@event.listens_for(Video, "after_update")
def _index_again(_mapper: Any, connection: Connection, video: Video) -> None:
    state = inspect(video)
    if any(state.attrs[name].history.has_changes() for name in ("title", "description")):
        connection.execute(delete(SearchWord).where(SearchWord.video_id == video.id))
        _index(connection, video)


def _index(connection: Connection, video: Video) -> None:
    words = indexed_words(video.title, video.description or "")
    if words:
        rows = [{"word": word, "video_id": video.id} for word in sorted(words)]
        connection.execute(insert(SearchWord), rows)
