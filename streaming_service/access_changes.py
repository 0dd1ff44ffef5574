"""Changes of who may watch which videos, whose access is cached."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.orm import Session

from common.stores import Stores
from common.stores.read_through import Mark

P = ParamSpec("P")
T = TypeVar("T")


def changes_access(
    rule: Callable[Concatenate[Session, Mark, P], T],
) -> Callable[Concatenate[Stores, P], T]:
    """Let a rule be called with the stores: it runs in a transaction of its own.

    Before it changes anything, the rule calls `mark` with the ids of the videos that it concerns,
    and before that it checks that the actor may change them, so that a stranger cannot keep a video
    uncached. A video that is not held back yet makes `mark` raise: the transaction is undone, and
    the rule is run again from its start; see `ReadThroughCache.change`.
    """

    @functools.wraps(rule)
    def run(stores: Stores, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return stores.videos.change(
            lambda mark: stores.database.write(lambda session: rule(session, mark, *args, **kwargs))
        )

    return run
