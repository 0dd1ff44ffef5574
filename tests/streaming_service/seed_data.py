"""What a server that runs by itself delivers: people, sessions and videos in stores of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from common.access import Viewer
from common.ids import new_id
from common.stores.redis_client import connect_redis
from common.stores.sessions import SessionStore
from db.engine import connect
from db.models import Role, User, Video, Visibility
from db.schema import upgrade


class Stock(NamedTuple):
    """:ivar environment: settings that lead to the stores.
    :ivar videos: ids, in the order of their contents.
    :ivar tokens: of a session of each person.
    """

    environment: dict[str, str]
    folder: Path
    videos: list[str]
    tokens: dict[str, str]

    def file(self, video_id: str) -> Path:
        """Return where a video's bytes are."""
        return self.folder / video_id / "original.mp4"


def fill(
    folder: Path, redis_url: str, *, contents: Sequence[bytes], visibility: Visibility
) -> Stock:
    """Put videos of Alice's into an empty folder, and sign her and Bob in."""
    videos = folder / "videos"
    videos.mkdir()
    database = connect(f"sqlite:///{folder / 'matinee.db'}")
    with database.engine.begin() as connection:
        upgrade(connection)
    people = [
        User(name=name, name_key=name, password_hash="-", role=Role.UPLOADER)
        for name in ("alice", "bob")
    ]
    database.write(lambda session: session.add_all(people))
    viewers = [Viewer(user.id, user.name, user.role) for user in people]
    with connect_redis(redis_url) as redis:
        sessions = SessionStore(redis, ttl=3600)
        tokens = {v.name: sessions.begin(v, device="a test", address="::1") for v in viewers}
    ids = []
    for data in contents:
        ids.append(video_id := new_id())
        (videos / video_id).mkdir()
        (videos / video_id / "original.mp4").write_bytes(data)
        video = Video(
            id=video_id,
            owner_id=viewers[0].id,
            title="Hers",
            visibility=visibility,
            size=len(data),
            duration_ms=1,
            width=2,
            height=2,
            video_codec="avc1",
        )
        database.write(lambda session, video=video: session.add(video))
    database.engine.dispose()
    environment = {
        "DATABASE_URL": f"sqlite:///{folder / 'matinee.db'}",
        "REDIS_URL": redis_url,
        "VIDEOS_DIR": str(videos),
    }
    return Stock(environment, videos, ids, tokens)
