"""Duties that one process at a time should do: leases in the database.

The rules of a duty stay safe when several processes apply them, since a process that was held still
may go on for a moment after its lease has ended. All times are the database's.
"""

import secrets
import socket
import time
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.clock import clock
from db.engine import Database, DatabaseUnavailable, transaction
from db.models import Lease

_LEASE = timedelta(seconds=30)  # until another process takes over from one that does not answer
_RENEW_EVERY = 10.0  # seconds
_LOOK_EVERY = 1.0  # seconds between two looks at a lease of another


def process_name() -> str:
    """Make a name for this process, of the host's name and a random part: 33 characters at most."""
    host = "".join(c for c in socket.gethostname() if c.isascii() and c.isalnum())[:24]
    return f"{host or 'host'}-{secrets.token_hex(4)}"


class Duty:
    """A duty of one process at a time, for use by one thread.

    :param name: the duty's, 64 characters at most.
    :param holder: the process's, 64 characters at most; no other process may have it.
    """

    def __init__(self, database: Database, name: str, holder: str) -> None:
        self._database = database
        self._name = name
        self._holder = holder
        self._is_held = False
        self._ask_at = 0.0

    def hold(self) -> bool:
        """Take or renew the lease; return False if another process holds it.

        This asks the database every ten seconds, or each second while another holds it. Between,
        it answers from memory.

        :raises DatabaseUnavailable: the work must wait.
        """
        began = time.monotonic()
        if began >= self._ask_at:
            try:
                self._is_held = _take(self._database, name=self._name, holder=self._holder)
            except IntegrityError:  # another process has inserted the row at the same moment
                self._is_held = False
            self._ask_at = began + (_RENEW_EVERY if self._is_held else _LOOK_EVERY)
        return self._is_held

    def release(self) -> None:
        """Give the lease up, so that another process can take it at once.

        If the database does not answer, the lease ends by itself.
        """
        self._is_held, self._ask_at = False, 0.0
        with suppress(DatabaseUnavailable):
            _give_up(self._database, name=self._name, holder=self._holder)


@transaction(writes=True)
def _take(session: Session, *, name: str, holder: str) -> bool:
    lease = session.get(Lease, name, with_for_update=True)
    moment = clock(session)
    if lease is None:
        lease = Lease(name=name, fence=0)
        session.add(lease)
    if lease.holder != holder:
        if lease.leased_until is not None and lease.leased_until > moment:
            return False
        lease.holder = holder
        lease.fence += 1
    lease.leased_until = moment + _LEASE
    return True


@transaction(writes=True)
def _give_up(session: Session, *, name: str, holder: str) -> None:
    held = update(Lease).where(Lease.name == name, Lease.holder == holder)
    session.execute(held.values(holder=None, leased_until=None))


@transaction(writes=True)
def free_duties(session: Session) -> None:
    """End all leases. This is for whoever knows that no other process uses the database."""
    session.execute(update(Lease).values(holder=None, leased_until=None))
