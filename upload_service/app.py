"""The upload service's table of contents."""

import os

from flask import Flask

from common.settings import Environment
from common.storage import MediaStorage
from common.web import new_app
from upload_service import routes, tus_routes
from upload_service.intake import slots
from upload_service.settings import UploadSettings


def create_app(settings: UploadSettings) -> Flask:
    """Make the app of these settings. The volume may come later: readiness says no until then."""
    app = new_app("upload_service", settings.common)
    storage = MediaStorage(settings.videos_dir, settings.formats)
    app.extensions["settings"] = settings
    app.extensions["storage"] = storage
    app.extensions["checks"]["videos"] = storage.prepare
    app.extensions["upload_slots"] = slots(settings.uploads_at_once)
    app.register_blueprint(routes.blueprint)
    app.register_blueprint(tus_routes.blueprint)
    return app


def from_environment() -> Flask:
    """Make the app of the process's environment; gunicorn calls this in each worker.

    :raises SettingsError: a setting is missing or wrong.
    """
    return create_app(UploadSettings.read(Environment(os.environ)))
