"""Commands of the auth service, for whoever runs the machine.

    python -m auth_service create-admin NAME              create an administrator
    python -m auth_service reset-password NAME [--admin]  give an account a new password

They need no browser and no current password. The new password is asked for at a terminal, or is the
first line of the standard input; it is never an argument, which other users of the machine could
read. In a container:

    docker compose exec auth python -m auth_service create-admin alice

Elsewhere the stores come from the environment as for the service: `DATABASE_URL`, `REDIS_URL`.
"""

import argparse
import getpass
import os
import sys

from redis.exceptions import RedisError

from auth_service import user_admin
from auth_service.accounts import NameTaken, create_account, find_account
from auth_service.new_passwords import hash_new_password
from auth_service.usernames import Username, parse_name
from common.audit import Actor
from common.errors import MatineeError, NotFound
from common.passwords import Passwords
from common.settings import CommonSettings, Environment, SettingsError
from common.stores import Stores
from db.engine import DatabaseUnavailable
from db.models import Role

_OPERATOR = Actor(None, address="command line")


def create_admin(stores: Stores, passwords: Passwords, *, name: Username) -> str:
    """Create an administrator; return what was done.

    :raises NameTaken: there is an account of that name.
    :raises InvalidPassword: too short or too long.
    :raises WeakPassword: easy to guess.
    """
    if find_account(stores.database, key=name.key) is not None:
        raise NameTaken
    user = create_account(
        stores.database,
        actor=_OPERATOR,
        name=name,
        password_hash=hash_new_password(passwords, _ask_password(name), username=name.display),
        join=lambda _session: Role.ADMIN,
    )
    return f"{user.name} is an administrator now."


def reset_password(
    stores: Stores, passwords: Passwords, *, name: Username, make_admin: bool
) -> str:
    """Give an account a new password, enable it and end its sessions; return what was done.

    :param make_admin: make it an administrator as well; otherwise its role stays.
    :raises NotFound: there is no account of that name.
    :raises InvalidPassword: too short or too long.
    :raises WeakPassword: easy to guess.
    """
    user = find_account(stores.database, key=name.key)
    if user is None:
        raise NotFound
    role = Role.ADMIN if make_admin else user.role
    password_hash = hash_new_password(passwords, _ask_password(name), username=name.display)
    user_admin.reset_password(
        stores,
        _OPERATOR,
        user_id=user.id,
        password_hash=password_hash,
        role=Role.ADMIN if make_admin else None,
        enable=True,
    )
    return f"{user.name} ({role.value}) has a new password; every old session has ended."


def _ask_password(name: Username) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    try:
        password = getpass.getpass(f"Password for {name.display}: ")
        repeated = getpass.getpass("The same again: ")
    except (EOFError, KeyboardInterrupt):
        sys.exit("\nNothing was changed.")
    if repeated != password:
        sys.exit("The two were not the same; nothing was changed.")
    return password


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m auth_service")
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create-admin", help="create an administrator")
    create.add_argument("name")
    create.add_argument(
        "--reset",
        action="store_true",
        help="if the account exists, the same as reset-password; its role stays",
    )
    create.set_defaults(admin=False)
    reset = commands.add_parser(
        "reset-password", help="give an account a new password, enable it, and sign it out"
    )
    reset.add_argument("name")
    reset.add_argument("--admin", action="store_true", help="make it an administrator as well")
    reset.set_defaults(reset=True)
    return parser


def _run(given: argparse.Namespace) -> str:
    stores = Stores.of(CommonSettings.read(Environment(os.environ)))
    name, passwords = parse_name(given.name), Passwords()
    is_new = given.command == "create-admin" and (
        not given.reset or find_account(stores.database, key=name.key) is None
    )
    if is_new:
        return create_admin(stores, passwords, name=name)
    return reset_password(stores, passwords, name=name, make_admin=given.admin)


def main(arguments: list[str]) -> None:
    """Run a command; an expected error is printed as a sentence, with exit status 1."""
    given = _parser().parse_args(arguments)
    try:
        print(_run(given))
    except NameTaken:
        sys.exit(
            f"There is an account called {given.name} already. `reset-password {given.name}` gives"
            " it a new password; with --admin it becomes an administrator."
        )
    except NotFound:
        sys.exit(f"There is no account called {given.name}.")
    except (MatineeError, SettingsError) as error:
        sys.exit(str(error))
    except DatabaseUnavailable as error:
        sys.exit(f"The database does not answer: {error}")
    except RedisError as error:
        sys.exit(f"The session store does not answer, so nothing was changed: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
