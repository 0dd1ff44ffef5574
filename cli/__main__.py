"""`matinee admin ...`: what whoever runs the machine can do without a browser.

    docker compose exec auth matinee admin create-admin alice
    .venv/bin/python -m standalone admin create-admin alice

Stores and settings come from the environment, as for the services.
"""

import argparse
import gc
import importlib.util
import json
import sys
from collections.abc import Mapping
from typing import NoReturn

from redis.exceptions import RedisError

from cli.admin import storage
from cli.admin.command import CommandRefused, ExitCode
from common.errors import MatineeError
from common.settings import SettingsError
from common.storage.errors import StoreRefused, StoreUnavailable
from db.engine import DatabaseUnavailable

_EXIT_CODES = """\
exit codes:
  0  it is done
  1  it cannot be done; the sentence says why
  2  the command is written wrongly
  3  a setting is missing or wrong
  4  the database or another store does not answer
"""


def main(arguments: list[str]) -> None:
    """Run a command.

    What it did is printed, or why it failed; with `--json` as one object, which has `error` then.

    :raises SystemExit: with an :class:`ExitCode`, if it is not done.
    """
    given = _parser().parse_args(arguments)
    gc.freeze()  # nothing of what was imported is garbage: Python need not look at the end
    try:
        result = given.run(given)
    except CommandRefused as error:
        _fail(given, str(error), ExitCode.REFUSED, data=error.data)
    except MatineeError as error:
        _fail(given, str(error), ExitCode.REFUSED)
    except StoreRefused as error:
        _fail(given, f"The object store refuses: {error}", ExitCode.REFUSED)
    except SettingsError as error:
        _fail(given, str(error), ExitCode.WRONG_SETTING)
    except DatabaseUnavailable as error:
        _fail(given, f"The database does not answer: {error}", ExitCode.STORE_UNAVAILABLE)
    except RedisError as error:
        said = f"The session store does not answer, so nothing was changed: {error}"
        _fail(given, said, ExitCode.STORE_UNAVAILABLE)
    except StoreUnavailable as error:
        said = f"The object store does not answer: {error}"
        _fail(given, said, ExitCode.STORE_UNAVAILABLE)
    _print(result.data) if given.json else print(result.sentence)


def _fail(
    given: argparse.Namespace,
    sentence: str,
    code: ExitCode,
    *,
    data: Mapping[str, object] | None = None,
) -> NoReturn:
    if given.json:
        _print({"error": sentence.strip(), **(data or {})})
    else:
        print(sentence, file=sys.stderr)
    sys.exit(code)


def _print(values: Mapping[str, object]) -> None:
    print(json.dumps(values, ensure_ascii=False))


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="matinee", epilog=_EXIT_CODES, formatter_class=raw)
    groups = parser.add_subparsers(dest="group", required=True)
    admin = groups.add_parser(
        "admin", help="commands of the operator", epilog=_EXIT_CODES, formatter_class=raw
    )
    commands = admin.add_subparsers(dest="command", required=True)
    if importlib.util.find_spec("auth_service") is not None:
        from cli.admin import accounts  # noqa: PLC0415 (only where the service is)

        accounts.add_commands(commands)
    storage.add_commands(commands)
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
