"""The streaming service's table of contents."""

import os
from typing import TYPE_CHECKING

from argon2 import Parameters
from argon2.profiles import RFC_9106_LOW_MEMORY
from flask import Flask

from common.passwords import Passwords
from common.process.schema_check import check_schema
from common.settings import Environment
from common.storage import Volume
from common.stores import Stores
from common.web.app_factory import new_app
from common.web.rate_limits import PasswordLimits, RateLimits
from streaming_service.delivery.auth_request import AuthRequestMiddleware
from streaming_service.delivery.cdn import CdnUrls
from streaming_service.pages import (
    access_routes,
    admin_routes,
    api_routes,
    audit_routes,
    bin_routes,
    collection_api_routes,
    collection_routes,
    edit_routes,
    embed_routes,
    grant_routes,
    library_routes,
    link_api_routes,
    link_routes,
    open_link_routes,
    position_routes,
    progress_routes,
    shared_routes,
    watch_routes,
)
from streaming_service.services import StreamingServices
from streaming_service.settings import StreamingSettings
from streaming_service.url_converters import LanguageConverter, VideoIdConverter
from streaming_service.videos.bin import bin_time_left
from streaming_service.videos.codec_names import codec_name
from streaming_service.videos.description import find_chapters, render_description

if TYPE_CHECKING:
    from streaming_service.delivery.presigned import PresignedUrls


def create_app(
    settings: StreamingSettings, *, hash_cost: Parameters = RFC_9106_LOW_MEMORY
) -> Flask:
    """Make the app of these settings.

    :param hash_cost: of the hash of a link's password.
    """
    storage = Volume(settings.videos_dir)
    stores = Stores.of(settings.common)
    limits = RateLimits(stores.redis)
    services = StreamingServices(
        common=settings.common,
        stores=stores,
        settings=settings,
        storage=storage,
        passwords=Passwords(hash_cost),
        limits=PasswordLimits(limits, of="link"),
        rate_limits=limits,
        checks={"videos": lambda: storage.check(writable=False)},
    )
    app = new_app("streaming_service", services)
    for template_filter in (bin_time_left, codec_name, find_chapters, render_description):
        app.add_template_filter(template_filter)
    limits.init_app(app)
    app.url_map.merge_slashes = False
    app.url_map.converters["video"] = VideoIdConverter
    app.url_map.converters["language"] = LanguageConverter
    app.register_blueprint(library_routes.blueprint)
    app.register_blueprint(watch_routes.blueprint)
    app.register_blueprint(edit_routes.blueprint)
    app.register_blueprint(admin_routes.blueprint)
    app.register_blueprint(api_routes.blueprint)
    app.register_blueprint(audit_routes.blueprint)
    app.register_blueprint(audit_routes.administration)
    app.register_blueprint(bin_routes.blueprint)
    app.register_blueprint(collection_routes.blueprint)
    app.register_blueprint(collection_routes.changes)
    app.register_blueprint(collection_api_routes.blueprint)
    app.register_blueprint(embed_routes.blueprint)
    app.register_blueprint(position_routes.blueprint)
    app.register_blueprint(progress_routes.blueprint)
    app.register_blueprint(access_routes.blueprint)
    app.register_blueprint(grant_routes.blueprint)
    app.register_blueprint(shared_routes.blueprint)
    app.register_blueprint(link_routes.blueprint)
    app.register_blueprint(link_api_routes.blueprint)
    app.register_blueprint(open_link_routes.blueprint)
    app.wsgi_app = AuthRequestMiddleware(  # type: ignore[method-assign]
        app.wsgi_app, stores, _presigned_urls(settings), _cdn_urls(settings)
    )
    return app


def _cdn_urls(settings: StreamingSettings) -> CdnUrls | None:
    if settings.cdn is None or settings.store.s3 is None:
        return None
    return CdnUrls(settings.cdn, prefix=settings.store.s3.prefix)


def _presigned_urls(settings: StreamingSettings) -> "PresignedUrls | None":
    store = settings.store.connect()
    if store is None:
        return None
    from streaming_service.delivery.presigned import PresignedUrls  # noqa: PLC0415 (needs boto3)

    return PresignedUrls(store)


def from_environment() -> Flask:
    """Make the app of the process's environment; gunicorn calls this in each worker.

    :raises SettingsError: a setting is missing or wrong.
    :raises SchemaTooOld: the database is older than this version.
    """
    settings = StreamingSettings.read(Environment(os.environ))
    check_schema(settings.common)
    return create_app(settings)
