"""What an upload's owner wants of the video that it becomes, while its bytes still arrive.

It is kept in the upload's row, and applied in the transaction that records the video. What is gone
by then, such as an account, a group or a collection, is left out.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from common.access import Viewer, Watcher
from common.audit import Action, Actor, record, require_signed_in
from common.collection_access import MAX_ITEMS, get_collection_for, lock_items
from common.directory import UnknownSubject, find_group, find_subject, find_user
from common.errors import Conflict, NotFound, Unprocessable
from common.ids import new_id
from common.translation import gettext, gettext_noop
from common.video_texts import checked_description, checked_title, parse_visibility
from db.engine import transaction
from db.models import CollectionItem, Grant, Group, Level, Upload, User, Video, Visibility
from upload_service.uploads.queries import find

_MAX_GRANTS = 100  # people and groups that an upload may name
_MAX_COLLECTIONS = 20  # that a new video may go into


class AlreadyVideo(Conflict):
    """The upload is complete; what is changed now is the video."""

    sentence = gettext_noop("This upload is complete. Change the video instead.")


@dataclass(frozen=True)
class IntendedGrant:
    """Whom to share with: exactly one of a user and a group."""

    level: Level
    user_id: int | None = None
    group_id: str | None = None


@dataclass(frozen=True)
class Intent:
    """What the video gets besides its title; see :class:`UploadEdit`.

    :ivar visibility: None is what the settings of the site say when the upload is complete.
    """

    description: str = ""
    visibility: Visibility | None = None
    collections: tuple[str, ...] = ()
    grants: tuple[IntendedGrant, ...] = ()

    @classmethod
    def read(cls, text: str | None) -> "Intent":
        """Return what a row holds."""
        if text is None:
            return cls()
        stored = json.loads(text)
        return cls(
            description=stored["description"],
            visibility=Visibility(stored["visibility"]) if stored["visibility"] else None,
            collections=tuple(stored["collections"]),
            grants=tuple(
                IntendedGrant(Level(one["level"]), one["user_id"], one["group_id"])
                for one in stored["grants"]
            ),
        )

    def dump(self) -> str:
        """Return it as a row holds it."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(frozen=True)
class UploadEdit:
    """What to change of an upload; None leaves a field as it is.

    :ivar title: 1 to 200 characters after cleaning.
    :ivar description: up to 5000 characters.
    :ivar collections: ids of collections that the owner may edit.
    :ivar grants: `{"user": name}`, `{"group": id}` or `{"anyone": name of either}`, each with
        `level`.
    """

    title: str | None = None
    description: str | None = None
    visibility: str | None = None
    collections: Sequence[str] | None = None
    grants: Sequence[Mapping[str, Any]] | None = None


@transaction(writes=True)
def edit_upload(session: Session, viewer: Viewer, upload_id: str, edit: UploadEdit) -> Upload:
    """Change what becomes of an upload.

    :raises NotFound: it is not there, or not theirs; or a collection is not theirs to edit.
    :raises UploadExpired, AlreadyVideo: it is too late.
    :raises UnknownSubject: there is no such person or group.
    :raises Unprocessable: a value is wrong, or there are too many.
    """
    if isinstance(find(session, owner_id=viewer.id, upload_id=upload_id), Video):
        raise AlreadyVideo
    upload = session.get(Upload, upload_id, with_for_update=True, populate_existing=True)
    if upload is None:
        raise AlreadyVideo
    if edit.title is not None:
        upload.title = checked_title(edit.title)
    upload.intent = _changed(session, viewer, Intent.read(upload.intent), edit).dump()
    return upload


@transaction(writes=False)
def intent_of_form(
    session: Session, viewer: Viewer, *, description: str, visibility: str, collection: str
) -> Intent:
    """Return what the fields of a form say; empty ones say nothing.

    :raises NotFound: the collection is not theirs to edit.
    :raises Unprocessable: there is no such visibility.
    """
    edit = UploadEdit(
        description=description,
        visibility=visibility or None,
        collections=[collection] if collection else None,
    )
    return _changed(session, viewer, Intent(), edit)


def _changed(session: Session, viewer: Viewer, intent: Intent, edit: UploadEdit) -> Intent:
    changes: dict[str, Any] = {}
    if edit.description is not None:
        changes["description"] = checked_description(edit.description)
    if edit.visibility is not None:
        changes["visibility"] = parse_visibility(edit.visibility)
    if edit.collections is not None:
        ids = tuple(dict.fromkeys(edit.collections))
        if len(ids) > _MAX_COLLECTIONS:
            raise Unprocessable(
                gettext(
                    "A new video goes into %(max_collections)s collections at most.",
                    max_collections=_MAX_COLLECTIONS,
                )
            )
        for collection_id in ids:
            get_collection_for(session, Watcher(viewer), collection_id, level=Level.EDIT)
        changes["collections"] = ids
    if edit.grants is not None:
        if len(edit.grants) > _MAX_GRANTS:
            raise Unprocessable(
                gettext(
                    "An upload names %(max_grants)s people and groups at most.",
                    max_grants=_MAX_GRANTS,
                )
            )
        grants = [_read_grant(session, viewer, one) for one in edit.grants]
        # The last one for each subject.
        changes["grants"] = tuple({(one.user_id, one.group_id): one for one in grants}.values())
    return Intent(**{**vars(intent), **changes})


def _read_grant(session: Session, viewer: Viewer, given: Mapping[str, Any]) -> IntendedGrant:
    names = {key: value for key, value in given.items() if key != "level"}
    level = given.get("level", Level.WATCH)
    if (
        len(names) != 1
        or not names.keys() <= {"user", "group", "anyone"}
        or not all(isinstance(value, str) for value in (level, *names.values()))
    ):
        raise Unprocessable(
            gettext("A grant names a “user”, a “group” or “anyone”, and a “level”.")
        )
    if level not in list(Level):
        raise Unprocessable("“level” is watch, download, edit or share.")
    [(kind, name)] = names.items()
    subject: User | Group
    if kind == "user":
        subject = find_user(session, name)
    elif kind == "group":
        subject = find_group(session, viewer, name)
    else:
        subject = find_subject(session, viewer, name)
    if isinstance(subject, Group):
        return IntendedGrant(Level(level), group_id=subject.id)
    if subject.id == viewer.id:
        raise Unprocessable(gettext("It is yours already."))
    return IntendedGrant(Level(level), user_id=subject.id)


@transaction(writes=False)
def intent_json(
    session: Session, viewer: Viewer, upload: Upload, *, default: Visibility
) -> dict[str, Any]:
    """Return an upload's intent for scripts, with the people and groups that may be named now.

    :param default: who can watch new videos where nothing was chosen.
    """
    intent = Intent.read(upload.intent)
    return {
        "description": intent.description,
        "visibility": intent.visibility or default,
        "collections": list(intent.collections),
        "grants": [
            _grant_json(subject, one.level)
            for one in intent.grants
            if (subject := _find_intended(session, viewer, one)) is not None
        ],
    }


def _grant_json(subject: User | Group, level: Level) -> dict[str, Any]:
    kind = {"user": subject.name} if isinstance(subject, User) else {"group": subject.id}
    return {**kind, "name": subject.name, "level": level}


def _find_intended(session: Session, owner: Viewer, wanted: IntendedGrant) -> User | Group | None:
    """Return whom a grant names, unless they are gone, or the owner may not name them now."""
    if wanted.group_id is not None:
        try:
            return find_group(session, owner, wanted.group_id)
        except UnknownSubject:
            return None
    user = session.get(User, wanted.user_id)
    return user if user is not None and user.disabled_at is None else None


def apply_intent(session: Session, video: Video, intent: Intent, *, owner: User) -> None:
    """Give a new video what was wanted of it. Call it in the transaction that records the video.

    The caller holds back the video's cached entry.
    """
    actor = Actor(Viewer(owner.id, owner.name, owner.role))
    video.description = intent.description
    if intent.visibility is not None and intent.visibility is not video.visibility:
        before, video.visibility = video.visibility, intent.visibility
        record(
            session,
            actor,
            Action.VIDEO_VISIBILITY,
            video_id=video.id,
            before=before,
            visibility=intent.visibility,
        )
    for collection_id in sorted(intent.collections):  # in one order, so that no two wait crosswise
        _collect(session, actor, video, collection_id)
    for wanted in intent.grants:
        _share(session, actor, video, wanted)


def _collect(session: Session, actor: Actor, video: Video, collection_id: str) -> None:
    """Add a video to a collection, unless that is gone, full, or not the owner's to edit now."""
    try:
        get_collection_for(
            session, Watcher(require_signed_in(actor)), collection_id, level=Level.EDIT
        )
    except NotFound:
        return
    if len(lock_items(session, collection_id)) >= MAX_ITEMS:
        return
    last = select(func.max(CollectionItem.place)).where(
        CollectionItem.collection_id == collection_id
    )
    place = session.scalar(last)
    session.add(
        CollectionItem(
            collection_id=collection_id,
            video_id=video.id,
            place=0 if place is None else place + 1,
        )
    )
    session.flush()
    action = Action.COLLECTION_ITEM_ADDED
    record(session, actor, action, video_id=video.id, object_id=collection_id)


def _share(session: Session, actor: Actor, video: Video, wanted: IntendedGrant) -> None:
    """Add a grant, unless whom it names is gone, or a group that the owner may not name now."""
    owner = require_signed_in(actor)
    subject = _find_intended(session, owner, wanted)
    if subject is None:
        return
    grant = Grant(
        id=new_id(),
        video_id=video.id,
        user_id=wanted.user_id,
        group_id=wanted.group_id,
        level=wanted.level,
        granted_by_id=owner.id,
    )
    session.add(grant)
    record(
        session,
        actor,
        Action.GRANT_CREATED,
        video_id=video.id,
        object_id=grant.id,
        collection=None,
        user=subject.name if isinstance(subject, User) else None,
        group=subject.name if isinstance(subject, Group) else None,
        level=wanted.level,
        expires_at=None,
    )
