"""`create-admin` and `reset-password`: accounts, for whoever runs the machine.

They need no browser and no current password. The new password is asked for at a terminal, or is the
first line of the standard input; it is never an argument, which other users of the machine could
read.
"""

import argparse
import getpass
import os
import sys
from typing import Any

from auth_service import user_admin
from auth_service.accounts import NameTaken, create_account, find_account
from auth_service.new_passwords import hash_new_password
from auth_service.usernames import Username, parse_name
from cli.admin.command import CommandRefused, Result, add_command
from common.audit import Actor
from common.passwords import Passwords
from common.settings import CommonSettings, Environment
from common.stores import Stores
from db.models import Role, User

_OPERATOR = Actor(None, address="command line")


def create_admin(given: argparse.Namespace) -> Result:
    """Create an administrator; with `--reset`, an account that exists gets a new password.

    :raises CommandRefused: there is an account of that name.
    :raises InvalidPassword: too short or too long.
    :raises WeakPassword: easy to guess.
    """
    stores, name = _stores(), parse_name(given.name)
    user = find_account(stores.database, key=name.key)
    if user is not None and given.reset:
        return _reset(stores, user, name, make_admin=False)
    taken = (
        f"There is an account called {given.name} already. `reset-password {given.name}` gives"
        " it a new password; with --admin it becomes an administrator."
    )
    if user is not None:
        raise CommandRefused(taken)
    try:
        user = create_account(
            stores.database,
            Passwords(),
            actor=_OPERATOR,
            name=name,
            password=_ask_password(name),
            join=lambda _session: Role.ADMIN,
        )
    except NameTaken as error:
        raise CommandRefused(taken) from error
    return Result(f"{user.name} is an administrator now.", _values(user.name, Role.ADMIN))


def reset_password(given: argparse.Namespace) -> Result:
    """Give an account a new password, enable it and end its sessions.

    With `--admin` it becomes an administrator as well; otherwise its role stays.

    :raises CommandRefused: there is no account of that name.
    :raises InvalidPassword: too short or too long.
    :raises WeakPassword: easy to guess.
    """
    stores, name = _stores(), parse_name(given.name)
    user = find_account(stores.database, key=name.key)
    if user is None:
        raise CommandRefused(f"There is no account called {given.name}.")
    return _reset(stores, user, name, make_admin=given.admin)


def _reset(stores: Stores, user: User, name: Username, *, make_admin: bool) -> Result:
    user_admin.reset_password(
        stores,
        _OPERATOR,
        user_id=user.id,
        password_hash=hash_new_password(Passwords(), _ask_password(name), username=name.display),
        role=Role.ADMIN if make_admin else None,
        enable=True,
    )
    role = Role.ADMIN if make_admin else user.role
    done = f"{user.name} ({role.value}) has a new password; every old session has ended."
    return Result(done, _values(user.name, role))


def _values(name: str, role: Role) -> dict[str, object]:
    return {"name": name, "role": role.value}


def _stores() -> Stores:
    return Stores.of(CommonSettings.read(Environment(os.environ)))


def _ask_password(name: Username) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    try:
        password = getpass.getpass(f"Password for {name.display}: ")
        repeated = getpass.getpass("The same again: ")
    except (EOFError, KeyboardInterrupt) as error:
        raise CommandRefused("\nNothing was changed.") from error
    if repeated != password:
        raise CommandRefused("The two were not the same; nothing was changed.")
    return password


def add_commands(commands: Any) -> None:
    """Add the commands of this module."""
    create = add_command(commands, "create-admin", create_admin, summary="create an administrator")
    create.add_argument("name")
    create.add_argument(
        "--reset",
        action="store_true",
        help="if the account exists, the same as reset-password; its role stays",
    )
    reset = add_command(
        commands,
        "reset-password",
        reset_password,
        summary="give an account a new password, enable it, and sign it out",
    )
    reset.add_argument("name")
    reset.add_argument("--admin", action="store_true", help="make it an administrator as well")
