"""The stores that every service holds: made once per process."""

from dataclasses import dataclass

from redis import Redis

from common.settings import CommonSettings
from common.stores import redis_client
from common.stores.sessions import SessionStore
from common.stores.video_cache import VideoCache
from db.engine import Database, connect


@dataclass(frozen=True)
class Stores:
    """The database, Redis, and what is built on them."""

    database: Database
    redis: Redis
    sessions: SessionStore
    videos: VideoCache

    @classmethod
    def of(cls, settings: CommonSettings) -> "Stores":
        """Make the clients; nothing is connected to before the first use."""
        redis = redis_client.connect_redis(settings.redis_url)
        return cls(
            database=connect(settings.database_url, password=settings.database_password),
            redis=redis,
            sessions=SessionStore(redis, ttl=settings.session_ttl),
            videos=VideoCache(redis),
        )
