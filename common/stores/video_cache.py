"""The cached entries of videos: what decides on access to each, as `common.access` needs it.

video:<id>    {"owner", "visibility", "downloadable", "playable", "binned",
               "grants": [[id, level, user, group, collection, expires], ...],
               "links": [[id, level, collection, expires], ...],
               "keys": {path: key}}; times in seconds since 1970
              or "gone": deleted or rejected, so that nobody gets its bytes
"""

import json
from datetime import UTC, datetime
from functools import lru_cache

from redis import Redis

from common.access import EffectiveGrant, EffectiveLink, VideoAccess
from common.stores.read_through import ReadThroughCache
from db.models import Level, Visibility

_GONE = "gone"
_DECODED = 1000  # entries that each process keeps decoded; one with 500 grants takes a millisecond


class VideoCache(ReadThroughCache[VideoAccess | None]):
    """What decides on access to videos; None for a video that nobody may have."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis, prefix="video", encode=_encode, decode=_decode)


def _encode(access: VideoAccess | None) -> str:
    if access is None:
        return _GONE
    fields: dict[str, object] = {
        "owner": access.owner_id,
        "visibility": access.visibility,
        "downloadable": access.downloadable,
        "playable": access.playable,
        "binned": access.is_binned,
        "grants": [
            [g.id, g.level, g.user_id, g.group_id, g.collection_id, _seconds(g.expires_at)]
            for g in access.grants
        ],
        "links": [
            [link.id, link.level, link.collection_id, _seconds(link.expires_at)]
            for link in access.links
        ],
    }
    if access.keys:
        fields["keys"] = dict(access.keys)
    return json.dumps(fields, separators=(",", ":"))


@lru_cache(maxsize=_DECODED)
def _decode(entry: str) -> VideoAccess | None:
    if entry == _GONE:
        return None
    fields = json.loads(entry)
    # An entry of an older version lacks what came later; it expires within a minute.
    return VideoAccess(
        owner_id=fields["owner"],
        visibility=Visibility(fields["visibility"]),
        downloadable=fields.get("downloadable", False),
        playable=fields.get("playable", True),
        is_binned=fields.get("binned", False),
        grants=tuple(
            EffectiveGrant(grant_id, Level(level), user, group, collection, _time(expires))
            for grant_id, level, user, group, collection, expires in fields.get("grants", ())
        ),
        links=tuple(
            EffectiveLink(link_id, Level(level), collection, _time(expires))
            for link_id, level, collection, expires in fields.get("links", ())
        ),
        keys=fields.get("keys", {}),
    )


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
