"""Who can be named when something is shared: people by their names, and groups."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from common.access import Viewer
from common.errors import Unprocessable
from common.ids import is_id
from common.names import name_key
from common.titles import clean_line
from common.translation import gettext, gettext_noop
from db.collation import fold
from db.engine import transaction
from db.models import LABEL_LIMIT, NAME_LIMIT, Group, GroupMember, User

SUGGESTIONS = 8
"""Suggestions at a time, people and groups together."""
_GROUP_MARK = " (group)"  # no username can hold a bracket
_KEY_LIMIT = 3 * NAME_LIMIT  # characters; the width of the column


class UnknownSubject(Unprocessable):
    """There is no such person or group that the viewer may name."""

    sentence = gettext_noop("There is no person or group with this name. Check how it is spelled.")


@dataclass(frozen=True)
class Suggestion:
    """A person or a group that somebody may name.

    :ivar group: the id of a group; None for a person.
    """

    name: str
    group: str | None = None

    @property
    def text(self) -> str:
        """What a form sends for it; see :func:`find_subject`."""
        return self.name if self.group is None else f"{self.name}{_GROUP_MARK}"

    def as_json(self) -> dict[str, str]:
        """Return it for scripts."""
        kind = {"kind": "user"} if self.group is None else {"kind": "group", "id": self.group}
        return {**kind, "name": self.name, "text": self.text}


@transaction(writes=False)
def suggest(session: Session, viewer: Viewer, text: str) -> list[Suggestion]:
    """Return people and groups whose names start with a text; accents and case do not count.

    The viewer is left out, and so are disabled accounts. An empty text suggests groups alone.
    """
    text = clean_line(text)
    if len(text) > LABEL_LIMIT:
        return []
    groups = (
        select(Group.id, Group.name)
        .where(_may_name(viewer), _starts_with(session, Group.name, text))
        .order_by(Group.name, Group.id)
        .limit(SUGGESTIONS)
    )
    found = [Suggestion(row.name, row.id) for row in session.execute(groups)]
    if not text:
        return found
    people = (
        select(User.name)
        .where(
            _starts_with(session, User.name, text),
            User.id != viewer.id,
            User.disabled_at.is_(None),
        )
        .order_by(User.name)
        .limit(SUGGESTIONS)
    )
    named = [Suggestion(name) for name in session.scalars(people)]
    # Some of each kind, where there are many of both.
    places = max(SUGGESTIONS // 2, SUGGESTIONS - len(named))
    shown = found[:places]
    return named[: SUGGESTIONS - len(shown)] + shown


def find_user(session: Session, name: str) -> User:
    """Return the account with a name, compared as logins do, and keep it from being deleted.

    :raises UnknownSubject: there is none, or it is disabled.
    """
    key = name_key(name)
    if key.isprintable() and len(key) <= _KEY_LIMIT:
        wanted = select(User).where(User.name_key == key, User.disabled_at.is_(None))
        user = session.scalar(wanted.with_for_update(read=True))
        if user is not None:
            return user
    raise UnknownSubject


def find_group(session: Session, viewer: Viewer, group_id: str) -> Group:
    """Return a group that a viewer may name, and keep it and its members from being changed.

    :raises UnknownSubject: there is none, or it is not for them.
    """
    if is_id(group_id):
        wanted = select(Group).where(Group.id == group_id, _may_name(viewer))
        group = session.scalar(wanted.with_for_update(read=True))
        if group is not None:
            return group
    raise UnknownSubject


def find_subject(session: Session, viewer: Viewer, text: str) -> User | Group:
    """Return the person or group that a form's one field names.

    :param text: a username, or the name of a group, alone or as :attr:`Suggestion.text`.
    :raises UnknownSubject: there is none that the viewer may name.
    :raises Unprocessable: several groups have this name, or a person and a group.
    """
    text = clean_line(text)
    groups = _groups_named(session, viewer, text.removesuffix(_GROUP_MARK))
    try:
        user = find_user(session, text)
    except UnknownSubject:
        if not groups:
            raise
        if len(groups) > 1:
            raise Unprocessable(
                gettext("You can name two groups that are called this. One needs another name.")
            ) from None
        return groups[0]
    if groups:  # anybody may register, or add the viewer to a group, under such a name
        raise Unprocessable(
            gettext(
                "A person and a group are called this. For the group, add “%(strip)s”. For the "
                "person, the group needs another name.",
                strip=_GROUP_MARK.strip(),
            )
        )
    return user


def _groups_named(session: Session, viewer: Viewer, name: str) -> Sequence[Group]:
    """Return the groups of a name that a viewer may name, two at most."""
    if not name.isprintable():
        return []
    same = func.fold(Group.name) == fold(name) if _is_sqlite(session) else Group.name == name
    wanted = select(Group).where(_may_name(viewer), same).limit(2)
    return session.scalars(wanted.with_for_update(read=True)).all()


def _may_name(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that a viewer may name a group: a member may, and everyone some."""
    mine = select(GroupMember.group_id).where(GroupMember.user_id == viewer.id)
    return or_(Group.for_everyone, Group.id.in_(mine))


def _starts_with(
    session: Session, column: InstrumentedAttribute[str], text: str
) -> ColumnElement[bool]:
    if _is_sqlite(session):
        return func.instr(func.fold(column), fold(text)) == 1
    # The collation of the column passes over accents and case.
    return column.startswith(text, autoescape=True)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
