"""The cached entries of accounts: which groups each is a member of.

groups:<user>    ["<group>", ...]
"""

import json

from redis import Redis

from common.stores.read_through import ReadThroughCache


class GroupCache(ReadThroughCache[frozenset[str]]):
    """The ids of the groups of each account; the id of an entry is the account's."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis, prefix="groups", encode=_encode, decode=_decode)


def _encode(groups: frozenset[str]) -> str:
    return json.dumps(sorted(groups))


def _decode(entry: str) -> frozenset[str]:
    return frozenset(json.loads(entry))
