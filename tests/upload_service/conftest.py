"""What the upload service's tests share."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from common.access import Viewer
from common.ids import new_id
from common.storage import IncomingStore, VideoStore, objects
from common.storage.movable import MovableFiles
from common.storage.s3 import S3Store
from common.storage.store_settings import Store, StoreSettings
from common.stores import Stores
from common.web.auth import SESSION_COOKIE
from db.engine import Database, connect
from db.models import Job, Role, StoredObject, Upload, User, Video
from tests.conftest import Client, Site
from tests.media import mp4
from tests.object_stores import ObjectStore, seaweedfs
from tests.upload_service.moving import MovingSite
from tests.upload_service.server import Server
from upload_service.upload_bytes.rows import stored_bytes
from upload_service.upload_bytes.sealed import seal
from upload_service.uploads.context import UploadContext

HOUR = 3600


class Files(IncomingStore, VideoStore):
    """Both stores of a volume at once."""


@pytest.fixture
def video_bytes() -> bytes:
    """A small MP4 of two seconds."""
    return mp4()


@pytest.fixture
def videos_dir(site: Site) -> Path:
    """The volume, ready for uploads."""
    Files(site.videos_dir).prepare()
    return site.videos_dir


@pytest.fixture
def storage(videos_dir: Path) -> Files:
    """The volume of the site."""
    return Files(videos_dir)


@pytest.fixture
def context(site: Site, stores: Stores, storage: Files, owner: User) -> UploadContext:
    """What Alice's uploads work with."""
    services = site.apps["upload"].extensions["matinee"]
    return UploadContext(
        stores, storage, storage, services.settings, owner.id, services.object_store
    )


@dataclass
class OnDisk:
    """The bytes of uploads on the volume."""

    storage: Files

    def unfinished(self, where: str) -> bytes:
        """Return what has arrived of an upload, which is less than a part."""
        return (self.storage.root / "incoming" / _id_in(where)).read_bytes()

    def video(self, video_id: str) -> bytes:
        """Return a video's original."""
        return (self.storage.root / video_id / "original.mp4").read_bytes()

    def files(self) -> list[str]:
        """Return the names of all files of uploads and videos."""
        return files_in(self.storage.root)

    def lock(self, where: str) -> AbstractContextManager[object]:
        """Hold the lock of an upload."""
        return self.storage.open_for_appending(_id_in(where))

    def publish(self, _context: UploadContext, upload_id: str) -> None:
        """Bring complete bytes to their place, as is done before the video has a row."""
        self.storage.publish(upload_id)


@dataclass
class InStore:
    """The bytes of uploads in the object store, with the methods of `OnDisk`."""

    storage: Files
    store: S3Store
    database: Database

    def unfinished(self, where: str) -> bytes:
        found = stored_bytes(self.database, upload_id=_id_in(where))
        assert found is not None
        key, offset = found.upload.tail_key, found.upload.offset
        content = self.store.get(key).body if key else b""
        assert len(content) == offset
        return content

    def video(self, video_id: str) -> bytes:
        found = objects.current_objects(self.database, video_id=video_id)["original.mp4"]
        return self.store.get(found.key).body

    def files(self) -> list[str]:
        unfinished = [upload.key for upload in self.store.list_multiparts("")]
        return [*files_in(self.storage.root), *self.store.list_keys(""), *unfinished]

    def lock(self, where: str) -> AbstractContextManager[object]:
        return self.storage.lock(_id_in(where))

    def publish(self, context: UploadContext, upload_id: str) -> None:
        seal(context, upload_id)


Place = OnDisk | InStore


def _id_in(where: str) -> str:
    return where.rsplit("/", 1)[1]


@pytest.fixture(params=["disk", "s3"])
def place(request: pytest.FixtureRequest, site: Site, storage: Files, database: Database) -> Place:
    """Let uploads come to one of the two places."""
    if request.param == "disk":
        return OnDisk(storage)
    running: ObjectStore = request.getfixturevalue("object_store")
    settings = replace(running.settings, prefix=f"{new_id()}/")
    services = site.apps["upload"].extensions["matinee"]
    services.settings = replace(
        services.settings, upload_store=Store.S3, store=StoreSettings(Store.S3, settings)
    )
    services.object_store = S3Store(settings)
    return InStore(storage, services.object_store, database)


@pytest.fixture
def stores(site: Site) -> Stores:
    """The stores of the site."""
    found: Stores = site.apps["upload"].extensions["matinee"].stores
    return found


def add_user(database: Database, name: str, role: Role) -> User:
    """Add an account that nobody can log in to: a real password costs a tenth of a second."""
    user = User(name=name, name_key=name, password_hash="-", role=role)
    database.write(lambda session: session.add(user))
    return user


def sign_in(site: Site, stores: Stores, user: User) -> Client:
    """Return a browser in which somebody is signed in."""
    viewer = Viewer(id=user.id, name=user.name, role=user.role)
    browser = site.browser()
    token = stores.sessions.begin(viewer, device="a test", address="127.0.0.1")
    browser.set_cookie(SESSION_COOKIE, token)
    return browser


@pytest.fixture
def owner(database: Database) -> User:
    """Alice's row."""
    return add_user(database, "alice", Role.ADMIN)


@pytest.fixture
def alice(site: Site, stores: Stores, owner: User) -> Client:
    """Alice's browser."""
    return sign_in(site, stores, owner)


@pytest.fixture
def bob(site: Site, stores: Stores, database: Database) -> Client:
    """Bob's browser."""
    return sign_in(site, stores, add_user(database, "bob", Role.UPLOADER))


@pytest.fixture
def rows(database: Database) -> "Rows":
    """The rows of uploads and videos."""
    return Rows(database)


class Rows:
    """Looks at the tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def videos(self) -> list[Video]:
        return self._database.read(lambda session: session.query(Video).all())

    def jobs(self) -> list[Job]:
        return self._database.read(lambda session: session.query(Job).all())

    def uploads(self) -> list[Upload]:
        return self._database.read(lambda session: session.query(Upload).all())


def files_in(folder: Path) -> list[str]:
    """Every file below a folder, by its path from there."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def grow_old(path: Path, seconds: float = 2 * HOUR) -> None:
    """Let a file's last change be long ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory,
    migrated: str,
    redis_url: str,
    static_dir: Path,
) -> Iterator[Server]:
    """One server for this module."""
    folder = tmp_path_factory.mktemp("server")
    if migrated.startswith("sqlite"):
        shutil.copyfile(migrated.removeprefix("sqlite:///"), folder / "matinee.db")
        migrated = f"sqlite:///{folder / 'matinee.db'}"
    database = connect(migrated)
    for table in (StoredObject, Video, Upload, User):
        database.write(lambda session, table=table: session.query(table).delete())
    server = Server(folder, database=database, redis_url=redis_url, static=static_dir)
    yield server
    log = server.log()
    server.stop()
    assert "Traceback" not in log, log[log.find("Traceback") :][:3000]
    database.engine.dispose()


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """One SeaweedFS for all tests; each has a prefix of its own."""
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as running:
        yield running


@pytest.fixture
def moving(stores: Stores, videos_dir: Path, owner: User, object_store: ObjectStore) -> MovingSite:
    """A site with an empty object store."""
    settings = replace(object_store.settings, prefix=f"{new_id()}/")
    return MovingSite(stores, MovableFiles(videos_dir), settings, S3Store(settings), owner.id)
