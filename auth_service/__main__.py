"""Commands of the auth service: `python -m auth_service create-admin NAME [--reset]`.

For who runs the machine: makes an administrator without a browser, or gets one back who is locked
out. The password is asked for at a terminal, or is the first line of the standard input; it is
never an argument, which other users of the machine could read. In a container:

    docker compose exec auth python -m auth_service create-admin alice

Elsewhere the stores come from the environment as for the service: `DATABASE_URL`, `REDIS_URL`.
"""

import argparse
import getpass
import os
import sys

from redis.exceptions import RedisError

from auth_service.accounts import NameTaken, find_account, open_account
from auth_service.names import Name, parse_name
from auth_service.passwords import Passwords
from auth_service.people import reset_account
from common.errors import MatineeError
from common.settings import CommonSettings, Environment, SettingsError
from common.stores import Stores
from db.engine import DatabaseUnavailable
from db.models import Role


def create_admin(stores: Stores, passwords: Passwords, *, name: Name, reset: bool) -> str:
    """Make an administrator, or set the account of that name right; return what was done.

    :param reset: allow a new password, the administrator's role and access for an account that is
        there already, and end its sessions.
    :raises NameTaken: it is there, and that is not allowed.
    :raises UnfitPassword: too short or too long.
    """
    user = stores.database.read(lambda session: find_account(session, key=name.key))
    if user is not None and not reset:
        raise NameTaken
    password_hash = passwords.hash(_ask_password(name))
    if user is not None:
        reset_account(stores, user_id=user.id, password_hash=password_hash, role=Role.ADMIN)
        return f"{user.name} is an administrator with a new password; every old session has ended."
    made = open_account(
        stores.database,
        name=name,
        password_hash=password_hash,
        role=Role.ADMIN,
        registration_open=True,
    )
    return f"{made.name} is an administrator now."


def _ask_password(name: Name) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    try:
        password = getpass.getpass(f"Password for {name.shown}: ")
        again = getpass.getpass("The same again: ")
    except (EOFError, KeyboardInterrupt):
        sys.exit("\nNothing was changed.")
    if again != password:
        sys.exit("The two were not the same; nothing was changed.")
    return password


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m auth_service")
    commands = parser.add_subparsers(required=True)
    create = commands.add_parser("create-admin", help="make an administrator")
    create.add_argument("name")
    create.add_argument(
        "--reset",
        action="store_true",
        help="if the account is there: new password, administrator, enabled, signed out",
    )
    return parser


def main(arguments: list[str]) -> None:
    """Run the command named first; a refusal is a sentence and exit status 1."""
    given = _parser().parse_args(arguments)
    try:
        stores = Stores.of(CommonSettings.read(Environment(os.environ)))
        print(create_admin(stores, Passwords(), name=parse_name(given.name), reset=given.reset))
    except NameTaken:
        sys.exit(f"There is an account called {given.name} already; --reset sets it right.")
    except (MatineeError, SettingsError) as error:
        sys.exit(str(error))
    except DatabaseUnavailable as error:
        sys.exit(f"The database does not answer: {error}")
    except RedisError as error:
        sys.exit(f"The session store does not answer, so nothing was changed: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
