"""The stores that every service holds: made once per process."""

import json
from dataclasses import dataclass

from redis import Redis

from common.settings import CommonSettings
from common.site_settings import SiteSettingsStore
from common.stores import redis_client
from common.stores.read_through import ReadThroughCache
from common.stores.sessions import SessionStore
from common.stores.video_cache import VideoCache
from common.stores.visits import VisitStore
from db.engine import Database, connect


@dataclass(frozen=True)
class Stores:
    """The database, Redis, and what is built on them.

    :ivar groups: the ids of the groups that each account is a member of, by the account's id.
    """

    database: Database
    redis: Redis
    sessions: SessionStore
    videos: VideoCache
    groups: ReadThroughCache[frozenset[str]]
    visits: VisitStore
    site: SiteSettingsStore

    @classmethod
    def of(cls, settings: CommonSettings) -> "Stores":
        """Make the clients; nothing is connected to before the first use."""
        redis = redis_client.connect_redis(settings.redis_url)
        database = connect(settings.database_url, password=settings.database_password)
        return cls(
            database=database,
            redis=redis,
            sessions=SessionStore(redis, ttl=settings.session_ttl),
            videos=VideoCache(redis),
            groups=ReadThroughCache(
                redis,
                prefix="groups",
                encode=lambda groups: json.dumps(sorted(groups)),
                decode=lambda entry: frozenset(json.loads(entry)),
            ),
            visits=VisitStore(redis, database),
            site=SiteSettingsStore(database, settings.fixed),
        )
