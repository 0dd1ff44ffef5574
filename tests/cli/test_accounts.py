"""`matinee admin create-admin` and `reset-password`."""

import io
import json
import os
import pty
import subprocess
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from cli.__main__ import main
from common.settings import CommonSettings
from db.engine import Database
from db.models import Role
from tests.auth_service.conftest import account, accounts, log_in, user_id
from tests.conftest import ROOT, Client, Site

PASSWORD = "a password from the terminal"
MISSING = "sqlite:////missing/m.db"


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


class Command:
    """Runs the command on the test's own stores."""

    def __init__(self, python: str, settings: CommonSettings) -> None:
        self._command = [python, "-m", "cli", "admin"]
        self._environ = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
        }

    def run(self, *arguments: str, given: str = f"{PASSWORD}\n", **environ: str) -> Done:
        """Run it in this process, with a standard input that is no terminal."""
        stdout, stderr = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, self._environ | environ, clear=True),
            mock.patch("sys.stdin", io.StringIO(given)),
            redirect_stdout(stdout),
            redirect_stderr(stderr),
        ):
            try:
                main(["admin", *arguments])
            except SystemExit as end:
                return Done(int(end.code or 0), stdout.getvalue(), stderr.getvalue())
        return Done(0, stdout.getvalue(), stderr.getvalue())

    def run_at_terminal(self, *arguments: str, typed: str) -> str:
        """Run it at a terminal of its own, and return what that showed."""
        terminal, its_end = pty.openpty()
        process = subprocess.Popen(
            [*self._command, *arguments],
            env=self._environ,
            cwd=ROOT,
            stdin=its_end,
            stdout=its_end,
            stderr=its_end,
            start_new_session=True,
        )
        os.close(its_end)
        shown = b""
        for asked, line in enumerate(typed.splitlines(keepends=True), start=1):
            while shown.count(b": ") < asked:
                shown += os.read(terminal, 1000)
            os.write(terminal, line.encode())
        with suppress(OSError):  # how a terminal ends on Linux
            while more := os.read(terminal, 1000):
                shown += more
        process.wait()
        os.close(terminal)
        return shown.decode()


@pytest.fixture
def command(python: str, common_settings: CommonSettings) -> Command:
    """The command."""
    return Command(python, common_settings)


def test_it_makes_an_administrator_beside_others(
    command: Command, site: Site, alice: Client, database: Database
) -> None:
    done = command.run("create-admin", "Carol")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Carol is an administrator now.\n"
    assert account(database, "carol").role is Role.ADMIN
    assert log_in(site.browser(), "carol", PASSWORD).status_code == 303


@pytest.mark.on_mysql
def test_it_makes_the_first_account_of_all(
    command: Command, site: Site, database: Database
) -> None:
    assert command.run("create-admin", "carol").returncode == 0
    site.sign_up("bob")
    assert [user.role for user in accounts(database)] == [Role.ADMIN, Role.UPLOADER]


def test_it_leaves_an_account_that_is_there_alone(
    command: Command, site: Site, alice: Client, bob: Client
) -> None:
    done = command.run("create-admin", "BOB")
    assert done.returncode == 1
    assert "`reset-password BOB`" in done.stderr
    assert "Traceback" not in done.stderr
    assert log_in(site.browser(), "bob").status_code == 303
    assert bob.get("/admin").status_code == 403


@pytest.mark.parametrize(
    ("arguments", "role"),
    [
        (["reset-password", "bob"], Role.VIEWER),
        (["reset-password", "bob", "--admin"], Role.ADMIN),
        (["create-admin", "bob", "--reset"], Role.VIEWER),
    ],
)
def test_a_reset_password_ends_the_sessions_and_keeps_the_role_unless_asked(
    command: Command,
    site: Site,
    alice: Client,
    bob: Client,
    database: Database,
    arguments: list[str],
    role: Role,
) -> None:
    alice.post(f"/admin/users/{user_id(database, 'bob')}", data={"role": "viewer"})
    done = command.run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"bob ({role.value}) has a new password" in done.stdout
    assert bob.get("/api/session").status_code == 401
    assert log_in(site.browser(), "bob").status_code == 401
    assert log_in(site.browser(), "bob", PASSWORD).status_code == 303
    assert account(database, "bob").role is role
    assert alice.get("/api/session").status_code == 200


def test_a_reset_password_lets_a_disabled_account_in_again(
    command: Command, site: Site, alice: Client, bob: Client, database: Database
) -> None:
    alice.post(f"/admin/users/{user_id(database, 'bob')}", data={"state": "disabled"})
    assert command.run("reset-password", "bob").returncode == 0
    assert log_in(site.browser(), "bob", PASSWORD).status_code == 303


@pytest.mark.parametrize(
    ("arguments", "given", "environ", "sentence", "code"),
    [
        (["create-admin", "carol"], "short\n", {}, "at least 8 characters", 1),
        (["create-admin", "carol"], "", {}, "at least 8 characters", 1),
        (["create-admin", "<b>"], PASSWORD, {}, "letters or digits", 1),
        (["create-admin", "carol"], PASSWORD, {"DATABASE_URL": ""}, "DATABASE_URL is required", 3),
        (["create-admin", "carol"], PASSWORD, {"DATABASE_URL": "nothing"}, "DATABASE_URL", 3),
        (["create-admin", "carol"], PASSWORD, {"REDIS_URL": "nothing"}, "REDIS_URL cannot", 3),
        (
            ["create-admin", "carol"],
            PASSWORD,
            {"DATABASE_URL": "sqlite:////missing/m.db"},
            "does not answer",
            4,
        ),
        (["reset-password", "carol"], PASSWORD, {}, "no account called carol", 1),
        (["create-admin"], PASSWORD, {}, "usage", 2),
        ([], PASSWORD, {}, "usage", 2),
    ],
)
def test_what_does_not_work_is_said_in_a_sentence(
    command: Command,
    database: Database,
    arguments: list[str],
    given: str,
    environ: dict[str, str],
    sentence: str,
    code: int,
) -> None:
    done = command.run(*arguments, given=given, **environ)
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert accounts(database) == []


def test_a_reset_changes_nothing_while_the_session_store_is_away(
    command: Command, site: Site, alice: Client, tmp_path: Path
) -> None:
    done = command.run("reset-password", "alice", REDIS_URL=f"unix://{tmp_path}/nothing.sock")
    assert done.returncode == 4
    assert "nothing was changed" in done.stderr
    assert "Traceback" not in done.stderr
    assert log_in(site.browser(), "alice").status_code == 303


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (f"{PASSWORD}\n{PASSWORD}\n", "Carol is an administrator now."),
        (f"{PASSWORD}\nsomething else\n", "nothing was changed"),
        ("\x04", "Nothing was changed."),
    ],
)
def test_at_a_terminal_the_password_is_asked_for_twice_and_not_shown(
    command: Command, database: Database, typed: str, said: str
) -> None:
    shown = command.run_at_terminal("create-admin", "Carol", typed=typed)
    assert said in shown
    assert PASSWORD not in shown
    assert "Traceback" not in shown
    assert len(accounts(database)) == (1 if "now" in said else 0)


def test_the_password_is_no_argument(command: Command) -> None:
    for name in ("create-admin", "reset-password"):
        shown = command.run(name, "--help").stdout
        assert "--password" not in shown
        assert " name\n" in shown


def test_the_outcome_is_told_as_json(command: Command, database: Database) -> None:
    made = command.run("create-admin", "Carol", "--json")
    assert (made.returncode, json.loads(made.stdout)) == (0, {"name": "Carol", "role": "admin"})
    again = command.run("create-admin", "carol", "--json")
    assert (again.returncode, again.stderr) == (1, "")
    assert json.loads(again.stdout)["error"].startswith("There is an account called carol already")


def test_a_setting_that_is_not_understood_is_told_as_json(command: Command) -> None:
    done = command.run("reset-password", "carol", "--json", REDIS_URL="nothing")
    assert (done.returncode, done.stderr) == (3, "")
    assert json.loads(done.stdout)["error"].startswith("REDIS_URL cannot be understood")
