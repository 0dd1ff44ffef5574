"""The streaming service's table of contents."""

import os

from flask import Flask

from common.settings import Environment
from common.storage import Volume
from common.stores import Stores
from common.web.app_factory import new_app
from streaming_service.delivery.auth_request import AuthRequestMiddleware
from streaming_service.pages import (
    admin_routes,
    api_routes,
    audit_routes,
    bin_routes,
    collection_api_routes,
    collection_routes,
    edit_routes,
    library_routes,
    position_routes,
    progress_routes,
    watch_routes,
)
from streaming_service.services import StreamingServices
from streaming_service.settings import StreamingSettings
from streaming_service.url_converters import LanguageConverter, VideoIdConverter
from streaming_service.videos.bin import bin_time_left


def create_app(settings: StreamingSettings) -> Flask:
    """Make the app of these settings."""
    storage = Volume(settings.videos_dir)
    services = StreamingServices(
        common=settings.common,
        stores=Stores.of(settings.common),
        settings=settings,
        storage=storage,
        checks={"videos": lambda: storage.check(writable=False)},
    )
    app = new_app("streaming_service", services)
    app.add_template_filter(bin_time_left)
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
    app.register_blueprint(position_routes.blueprint)
    app.register_blueprint(progress_routes.blueprint)
    app.wsgi_app = AuthRequestMiddleware(app.wsgi_app, services.stores)  # type: ignore[method-assign]
    return app


def from_environment() -> Flask:
    """Make the app of the process's environment; gunicorn calls this in each worker.

    :raises SettingsError: a setting is missing or wrong.
    """
    return create_app(StreamingSettings.read(Environment(os.environ)))
