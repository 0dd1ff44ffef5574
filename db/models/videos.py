"""Uploads, videos and what belongs to a video."""

import enum
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.accounts import User
from db.models.base import (
    FILE_NAME_LIMIT,
    REJECTION_LIMIT,
    TITLE_LIMIT,
    Base,
    ImageBytes,
    Label,
    LongerText,
    ObjectKey,
    PublicId,
    RowId,
    Sha256Hex,
    UserId,
    VideoId,
    now,
    words,
)


class Visibility(enum.StrEnum):
    """Who may watch a video besides its owner: nobody, everyone with an account, anyone."""

    PRIVATE = "private"
    MEMBERS = "members"
    PUBLIC = "public"


class JobKind(enum.StrEnum):
    """A step of processing a video, in the order in which jobs are claimed.

    `poster` makes the poster that somebody has chosen, and waits for; `check` decides whether the
    file can be decoded, and plans the other steps; `remux` packs the original's own video stream as
    HLS; `audio` makes the audio rendition; `thumbnails` makes poster and storyboard; `rendition`
    encodes one height of the ladder.
    """

    POSTER = "poster"
    CHECK = "check"
    REMUX = "remux"
    AUDIO = "audio"
    THUMBNAILS = "thumbnails"
    RENDITION = "rendition"


class JobState(enum.StrEnum):
    """The state of a job. A worker that dies leaves it `running`, with a lease that expires."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class RenditionKind(enum.StrEnum):
    """What a rendition contains."""

    VIDEO = "video"
    AUDIO = "audio"


class Volume(Base):
    """The volume of videos: one row, locked while space on it is reserved for an upload.

    Without the lock, two uploads that fit alone but not together could both be accepted.
    """

    __tablename__ = "volumes"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    # Bytes of its disk in all, and those still free when the janitor last looked.
    size: Mapped[int | None] = mapped_column(BigInteger)
    free: Mapped[int | None] = mapped_column(BigInteger)
    measured_at: Mapped[datetime | None]


class Upload(Base):
    """An unfinished upload, with its bytes at `incoming/<id>`, or with `part_size` in the store.

    The file's size is its offset while one host alone has written to it, else `offset` is (see
    `upload_service.uploads.lease`). In the object store `offset` is the bytes of the `UploadPart`s
    and of the tail, an object of its own that is less than a part.

    `submission` identifies one submission of a form, so that a double click makes one video. An
    upload with `expires_at` can be resumed until then; one without came by form, and cannot. The
    video that it becomes gets its id.
    """

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(PublicId, primary_key=True)
    owner_id: Mapped[UserId] = mapped_column(index=True)
    submission: Mapped[str | None] = mapped_column(PublicId)
    title: Mapped[str] = mapped_column(String(TITLE_LIMIT))
    created_at: Mapped[datetime] = mapped_column(default=now)
    length: Mapped[int | None] = mapped_column(BigInteger)  # in bytes, once it is known
    reserved: Mapped[int | None] = mapped_column(BigInteger)  # bytes reserved for it
    tus_metadata: Mapped[str | None] = mapped_column(Text)  # the client's, returned unchanged
    file_name: Mapped[str | None] = mapped_column(String(FILE_NAME_LIMIT))
    fingerprint: Mapped[str | None] = mapped_column(Label)
    expires_at: Mapped[datetime | None]
    is_part: Mapped[bool | None]  # of a file that is concatenated later
    parts: Mapped[str | None] = mapped_column(Text)  # ids of the uploads it is made of
    # Description, visibility, grants and collections of the video that it becomes, as JSON.
    intent: Mapped[str | None] = mapped_column(Text)
    # Bytes that were acknowledged, once a request has held the lease.
    offset: Mapped[int | None] = mapped_column(BigInteger)
    # How often a host has taken over the lease from another.
    fence: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    # The process that holds the lease, or the host that held it last; and when the lease ends or
    # ended, by the database's clock.
    locked_by: Mapped[str | None] = mapped_column(Label)
    locked_until: Mapped[datetime | None]
    part_size: Mapped[int | None] = mapped_column(BigInteger)  # in bytes
    # The object that the parts become, and the store's id of its multipart upload; from the first
    # part on.
    multipart_key: Mapped[str | None] = mapped_column(ObjectKey)
    multipart_id: Mapped[str | None] = mapped_column(Text)
    part_numbers: Mapped[int | None]  # how many were given out
    tail_key: Mapped[str | None] = mapped_column(ObjectKey)


class UploadPart(Base):
    """A part of an upload in the object store. All have the upload's `part_size`, but the last.

    Numbers rise with the place in the file, and some may be missing: one that was given out is
    never given out again. `etag` is the store's name for the part's bytes.
    """

    __tablename__ = "upload_parts"

    upload_id: Mapped[str] = mapped_column(
        ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    etag: Mapped[str] = mapped_column(ObjectKey)


class Video(Base):
    """A video, with its bytes at `<id>/original.mp4`; the row is inserted once they are there.

    A video with `deleted_at`, or without an owner, is not live: nobody sees it, and the janitor
    removes its files, then its row. See `common.live`.
    """

    __tablename__ = "videos"
    __table_args__ = (
        UniqueConstraint("owner_id", "submission"),
        Index("ix_videos_visibility_created_at", "visibility", "created_at"),
        Index("ix_videos_deleted_at", "deleted_at"),
        Index("ix_videos_owner_id_sha256", "owner_id", "sha256"),  # the same file twice
        # Lists leave out the bin, and begin with the latest.
        Index("ix_videos_binned_at_created_at", "binned_at", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(PublicId, primary_key=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    submission: Mapped[str | None] = mapped_column(PublicId)
    title: Mapped[str] = mapped_column(String(TITLE_LIMIT))
    description: Mapped[str] = mapped_column(Text, default="")
    visibility: Mapped[Visibility] = mapped_column(words(Visibility), default=Visibility.PRIVATE)
    size: Mapped[int] = mapped_column(BigInteger)
    # Milliseconds, pixels of the displayed frame, and codecs. None until the check job has measured
    # a file that is not an MP4; `audio_codec` stays None for a video without audio.
    duration_ms: Mapped[int | None] = mapped_column(BigInteger)
    width: Mapped[int | None]
    height: Mapped[int | None]
    video_codec: Mapped[str | None] = mapped_column(String(64))
    audio_codec: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    deleted_at: Mapped[datetime | None]
    # Since when it is in its owner's bin, where nobody else sees it.
    binned_at: Mapped[datetime | None]
    # What the uploader called the file, for downloads; never part of a path.
    file_name: Mapped[str | None] = mapped_column(String(FILE_NAME_LIMIT))
    # SHA-256 of the original in hexadecimal, once it is known; shown to the owner.
    sha256: Mapped[str | None] = mapped_column(Sha256Hex)
    # Whether everybody who may watch may also download the original.
    downloadable: Mapped[bool] = mapped_column(default=False, server_default=text("0"))
    # The original's container: "mp4", "mov", "mkv" or "webm". Its file has the same name for all.
    container: Mapped[str] = mapped_column(Label, default="mp4", server_default="mp4")
    # Whether browsers can play the original; otherwise viewers wait for a rendition.
    playable: Mapped[bool] = mapped_column(default=True, server_default=text("1"))
    # Why the check rejected it, in words for people; nobody gets the bytes of a rejected video.
    rejection_reason: Mapped[str | None] = mapped_column(String(REJECTION_LIMIT))
    # Counts the posters that were chosen. It is part of the poster's URL, so that caches follow.
    poster_version: Mapped[int] = mapped_column(default=0, server_default=text("0"))

    owner: Mapped[User | None] = relationship(lazy="raise")


class Job(Base):
    """One step of processing one video. The row is the truth; Redis only wakes workers.

    A worker that claims it gets the next `fence` and a lease. It works in a folder named after job
    and fence, and publishes only if the fence is still its own.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("video_id", "kind", "height"),
        Index("ix_jobs_state_kind_height", "state", "kind", "height"),
        Index("ix_jobs_started_at", "started_at"),  # each claim counts recently started jobs
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    video_id: Mapped[VideoId]
    kind: Mapped[JobKind] = mapped_column(words(JobKind))
    height: Mapped[int] = mapped_column(
        default=0, server_default=text("0")
    )  # of a rendition, in lines
    state: Mapped[JobState] = mapped_column(words(JobState), default=JobState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    fence: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    worker: Mapped[str | None] = mapped_column(Label)  # who holds it
    leased_until: Mapped[datetime | None]
    not_before: Mapped[datetime | None]  # back-off after a failure
    progress: Mapped[float] = mapped_column(Double, default=0.0, server_default=text("0"))  # 0 to 1
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    # Predicted and actual duration in seconds; ETAs are computed from them.
    estimate: Mapped[float | None] = mapped_column(Double)
    seconds: Mapped[float | None] = mapped_column(Double)
    error: Mapped[str | None] = mapped_column(String(REJECTION_LIMIT))  # for people
    log_tail: Mapped[str | None] = mapped_column(Text)  # ffmpeg's last lines, for administrators


class Rendition(Base):
    """A published HLS rendition: `<video>/hls/<name>.m3u8` and `<name>.mp4`.

    Bandwidths are measured, in bits per second (RFC 8216, 4.3.4.2).
    """

    __tablename__ = "renditions"

    video_id: Mapped[VideoId] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Label, primary_key=True)  # "720p", "source", "audio-1"
    kind: Mapped[RenditionKind] = mapped_column(words(RenditionKind))
    codecs: Mapped[str] = mapped_column(String(64))  # RFC 6381
    bandwidth: Mapped[int] = mapped_column(BigInteger)  # the peak
    average_bandwidth: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(BigInteger)  # bytes
    width: Mapped[int | None]
    height: Mapped[int | None]
    frame_rate: Mapped[float | None] = mapped_column(Double)
    language: Mapped[str | None] = mapped_column(Label)
    title: Mapped[str | None] = mapped_column(String(64))  # of an audio track, for people
    created_at: Mapped[datetime] = mapped_column(default=now)


class Caption(Base):
    """A caption track as WebVTT, one per language."""

    __tablename__ = "captions"

    video_id: Mapped[VideoId] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(Label, primary_key=True)  # a tag of BCP 47
    label: Mapped[str] = mapped_column(String(64))  # what the menu shows
    body: Mapped[str] = mapped_column(LongerText)  # up to CAPTION_LIMIT
    created_at: Mapped[datetime] = mapped_column(default=now)


class Position(Base):
    """Where a viewer stopped in a video, and when; 0: at the start or the end.

    `finished_at` is when they last watched it to the end.
    """

    __tablename__ = "positions"
    __table_args__ = (Index("ix_positions_video_id", "video_id"),)

    user_id: Mapped[UserId] = mapped_column(primary_key=True)
    video_id: Mapped[VideoId] = mapped_column(primary_key=True)
    position_ms: Mapped[int] = mapped_column(BigInteger)
    watched_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]


class PosterChoice(Base):
    """The poster that somebody has chosen and that is not made yet: a moment, or an image.

    Exactly one of both is set. The job of kind `poster` makes it, and removes the row.
    """

    __tablename__ = "poster_choices"

    video_id: Mapped[VideoId] = mapped_column(primary_key=True)
    at_ms: Mapped[int | None] = mapped_column(BigInteger)
    image: Mapped[bytes | None] = mapped_column(ImageBytes)  # as uploaded, up to POSTER_LIMIT
    created_at: Mapped[datetime] = mapped_column(default=now)
