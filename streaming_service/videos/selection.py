"""One change of several videos. The rules decide on each of them, as if it were changed alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from common.access import Watcher
from common.audit import Actor, require_signed_in
from common.collection_access import get_collection_for
from common.directory import find_subject
from common.errors import Conflict, Forbidden, NotFound, Unprocessable
from common.ids import is_id
from common.stores import Stores
from common.translation import gettext
from common.video_texts import parse_visibility
from streaming_service.collections.changes import add_items
from streaming_service.sharing.fields import parse_level
from streaming_service.sharing.grants import NewGrant, create_grant
from streaming_service.sharing.objects import SharedObject
from streaming_service.videos.bin import restore_videos
from streaming_service.videos.changes import bin_videos, set_visibility, tag_videos, upsert
from streaming_service.videos.tags import checked_tags, split_tags

Change = Callable[[Sequence[str]], list[str]]


@dataclass(frozen=True)
class Selection:
    """What to do with the videos.

    :ivar do: `tag`, `untag`, `visibility`, `share`, `collection`, `delete` or `restore`.
    :ivar tag: to add or take away; several are separated by commas.
    :ivar who: the name of a person or group to share with, at `level`.
    :ivar collection: to add the videos to.
    """

    do: str
    tag: str = ""
    visibility: str = ""
    who: str = ""
    level: str = ""
    collection: str = ""


def change_selection(
    stores: Stores, actor: Actor, video_ids: Sequence[str], selection: Selection
) -> tuple[list[str], int]:
    """Change several videos; return the ids of those changed, and how many were not.

    :raises Unprocessable: what to do is unknown, or lacks what it needs.
    :raises UnknownSubject: there is no such person or group.
    :raises NotFound: the collection is not theirs to change.
    """
    wanted = [video_id for video_id in dict.fromkeys(video_ids) if is_id(video_id)]
    changed = _change(stores, actor, selection)(wanted)
    return changed, len(set(video_ids)) - len(changed)


def _change(stores: Stores, actor: Actor, selection: Selection) -> Change:
    if selection.do in ("tag", "untag"):
        tags = checked_tags(split_tags(selection.tag))
        if not tags:
            raise Unprocessable(gettext("Write a tag."))
        adds = selection.do == "tag"
        return lambda ids: upsert(tag_videos, stores.database, actor, ids, tags, adds=adds)
    if selection.do == "visibility":
        visibility = parse_visibility(selection.visibility)
        return lambda ids: set_visibility(stores, actor, ids, visibility)
    if selection.do == "share":
        viewer, who = require_signed_in(actor), selection.who
        new = NewGrant(level=parse_level(selection.level), anyone=who)
        stores.database.read(lambda session: find_subject(session, viewer, who))
        return lambda ids: [i for i in ids if _is_shared(stores, actor, i, new)]
    if selection.do == "collection":
        watcher = Watcher(require_signed_in(actor))
        get_collection_for(stores.database, watcher, selection.collection)
        return lambda ids: add_items(stores, actor, selection.collection, ids)
    if selection.do == "restore":
        return lambda ids: restore_videos(stores, actor, ids)
    if selection.do == "delete":
        return lambda ids: bin_videos(stores, actor, ids)
    raise Unprocessable(gettext("Choose what to do with the videos."))


def _is_shared(stores: Stores, actor: Actor, video_id: str, new: NewGrant) -> bool:
    try:
        create_grant(stores, actor, SharedObject(video_id=video_id), new)
    except (NotFound, Forbidden, Conflict, Unprocessable):
        return False
    return True
