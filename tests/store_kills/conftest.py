"""A site whose gateway and streaming service run as programs, beside a store that can be killed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from common.ids import new_id
from common.settings import CommonSettings
from common.storage import IncomingStore, VideoStore
from common.storage.movable import MovableFiles
from common.storage.s3 import S3Store
from common.stores import Stores
from tests.gateway.harness import Gateway
from tests.object_stores import ObjectStore, seaweedfs
from tests.store_kills.programs import Place
from tests.upload_service.moving import MovingSite
from tests.upload_service.server import Server


class Files(IncomingStore, VideoStore):
    """A volume."""


@dataclass
class RunningSite:
    """What the tests kill and look at.

    :ivar place: names no videos yet.
    :ivar token: of the session of the videos' owner.
    """

    place: Place
    moving: MovingSite
    gateway: Gateway
    store: ObjectStore
    token: str


@pytest.fixture
def running_site(
    common_settings: CommonSettings,
    tmp_path: Path,
    static_dir: Path,
) -> Iterator[RunningSite]:
    """A site with no videos, and an empty store."""
    videos_dir = tmp_path / "videos"
    videos_dir.mkdir()
    Files(videos_dir).prepare()
    stores = Stores.of(common_settings)
    (tmp_path / "store").mkdir()
    (tmp_path / "gateway").mkdir()
    with seaweedfs(tmp_path / "store", volumes=100) as store:
        settings = replace(store.settings, prefix=f"{new_id()}/")
        environ = store.environ | {"S3_PREFIX": settings.prefix}
        streaming = Server(
            tmp_path,
            database=stores.database,
            redis_url=common_settings.redis_url,
            static=static_dir,
            videos_dir=videos_dir,
            settings=environ,
            application="streaming_service.app:from_environment()",
        )
        gateway = Gateway(tmp_path / "gateway")
        try:
            token = streaming.sign_in("alice")
            gateway.videos = videos_dir
            gateway.render(environ | {"CACHE_SIZE": "64m"})
            gateway.use_services({"streaming": streaming.port})
            gateway.start()
            place = Place(common_settings, videos_dir, settings, ())
            disk = MovableFiles(videos_dir)
            moving = MovingSite(stores, disk, settings, S3Store(settings), owner_id=1)
            yield RunningSite(place, moving, gateway, store, token)
        finally:
            gateway.stop()
            streaming.stop()
