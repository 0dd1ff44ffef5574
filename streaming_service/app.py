"""The streaming service's table of contents."""

import os
from threading import BoundedSemaphore

from flask import Flask

from common.settings import Environment
from common.storage import MediaStorage
from common.stores import Stores
from common.web.app_factory import new_app
from streaming_service import (
    administering,
    api,
    authorisation,
    delivery,
    editing,
    positions,
    progress,
    routes,
)
from streaming_service.ids import LanguageConverter, VideoIdConverter
from streaming_service.services import StreamingServices
from streaming_service.settings import StreamingSettings


def create_app(settings: StreamingSettings) -> Flask:
    """Make the app of these settings."""
    storage = MediaStorage(settings.videos_dir)
    services = StreamingServices(
        common=settings.common,
        stores=Stores.of(settings.common),
        settings=settings,
        storage=storage,
        streams=BoundedSemaphore(settings.streams),
        checks={"videos": lambda: storage.check(writable=False)},
    )
    app = new_app("streaming_service", services)
    app.url_map.merge_slashes = False
    app.url_map.converters["video"] = VideoIdConverter
    app.url_map.converters["language"] = LanguageConverter
    app.register_blueprint(routes.library_pages)
    app.register_blueprint(routes.watching)
    app.register_blueprint(editing.editing)
    app.register_blueprint(administering.administering)
    app.register_blueprint(api.blueprint)
    app.register_blueprint(positions.blueprint)
    app.register_blueprint(progress.blueprint)
    if settings.sends_bytes:
        delivery.stand_in_front(app, storage, trust_gateway=settings.common.trust_gateway)
    else:
        gate = authorisation.Gate(app.wsgi_app, services.stores)
        app.wsgi_app = gate  # type: ignore[method-assign]
    return app


def from_environment() -> Flask:
    """Make the app of the process's environment; gunicorn calls this in each worker.

    :raises SettingsError: a setting is missing or wrong.
    """
    return create_app(StreamingSettings.read(Environment(os.environ)))
