"""One change of several videos. The rules decide on each of them, as if it were changed alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from common.access import Watcher
from common.audit import Actor, require_signed_in
from common.collection_access import get_collection_for
from common.directory import find_subject
from common.errors import Conflict, Forbidden, NotFound, Unprocessable
from common.stores import Stores
from common.translation import gettext
from common.video_texts import parse_visibility
from streaming_service.collections.changes import add_item
from streaming_service.sharing.fields import parse_level
from streaming_service.sharing.grants import NewGrant, create_grant
from streaming_service.sharing.objects import SharedObject
from streaming_service.videos.changes import VideoEdit, bin_video, edit_video
from streaming_service.videos.library import get_video_to_edit
from streaming_service.videos.tags import checked_tags, split_tags, tags_of

Change = Callable[[str], object]


@dataclass(frozen=True)
class Selection:
    """What to do with the videos.

    :ivar do: `tag`, `untag`, `visibility`, `share`, `collection` or `delete`.
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
) -> tuple[int, int]:
    """Change several videos; return how many were changed, and how many were not.

    :raises Unprocessable: what to do is unknown, or lacks what it needs.
    :raises UnknownSubject: there is no such person or group.
    :raises NotFound: the collection is not theirs to change.
    """
    change = _change(stores, actor, selection)
    changed = 0
    for video_id in video_ids:
        try:
            change(video_id)
        except (NotFound, Forbidden, Conflict, Unprocessable):
            continue
        changed += 1
    return changed, len(video_ids) - changed


def _change(stores: Stores, actor: Actor, selection: Selection) -> Change:
    if selection.do in ("tag", "untag"):
        tags = checked_tags(split_tags(selection.tag))
        if not tags:
            raise Unprocessable(gettext("Write a tag."))
        adds = selection.do == "tag"
        return lambda video_id: _tag(stores, actor, video_id, tags, adds=adds)
    if selection.do == "visibility":
        edit = VideoEdit(visibility=parse_visibility(selection.visibility))
        return lambda video_id: edit_video(stores, actor, video_id, edit)
    if selection.do == "share":
        viewer, who = require_signed_in(actor), selection.who
        new = NewGrant(level=parse_level(selection.level), anyone=who)
        stores.database.read(lambda session: find_subject(session, viewer, who))
        return lambda video_id: _share(stores, actor, video_id, new)
    if selection.do == "collection":
        watcher = Watcher(require_signed_in(actor))
        get_collection_for(stores.database, watcher, selection.collection)
        return lambda video_id: add_item(stores, actor, selection.collection, video_id)
    if selection.do == "delete":
        return lambda video_id: bin_video(stores, actor, video_id)
    raise Unprocessable(gettext("Choose what to do with the videos."))


def _share(stores: Stores, actor: Actor, video_id: str, new: NewGrant) -> None:
    what = SharedObject(video_id=video_id)
    stores.videos.change(lambda mark: create_grant(stores.database, actor, what, new, mark=mark))


def _tag(stores: Stores, actor: Actor, video_id: str, tags: dict[str, str], *, adds: bool) -> None:
    video = get_video_to_edit(stores.database, require_signed_in(actor), video_id)
    present = checked_tags(
        stores.database.read(lambda session: tags_of(session, [video]))[video_id]
    )
    if adds:
        names = list((tags | present).values())
    else:
        names = [name for key, name in present.items() if key not in tags]
    edit_video(stores, actor, video_id, VideoEdit(tags=names))
