"""The upload service's table of contents."""

import os

from flask import Flask

from common.process.schema_check import check_schema
from common.settings import Environment
from common.storage import IncomingStore, VideoStore
from common.stores import Stores
from common.web.app_factory import new_app
from upload_service import api_routes, routes
from upload_service.services import UploadServices
from upload_service.settings import UploadSettings
from upload_service.tus import routes as tus_routes


def create_app(settings: UploadSettings) -> Flask:
    """Make the app of these settings. The volume may come later: readiness says no until then.

    :raises SettingsError: there is an object store, and boto3 is not installed.
    """
    incoming = IncomingStore(settings.videos_dir)
    services = UploadServices(
        common=settings.common,
        stores=Stores.of(settings.common),
        settings=settings,
        incoming=incoming,
        videos=VideoStore(settings.videos_dir),
        object_store=settings.store.connect(),
        checks={"videos": incoming.prepare},
    )
    app = new_app("upload_service", services)
    app.register_blueprint(routes.blueprint)
    app.register_blueprint(api_routes.blueprint)
    app.register_blueprint(tus_routes.blueprint)
    return app


def from_environment() -> Flask:
    """Make the app of the process's environment; gunicorn calls this in each worker.

    :raises SettingsError: a setting is missing or wrong.
    :raises SchemaTooOld: the database is older than this version.
    """
    settings = UploadSettings.read(Environment(os.environ))
    check_schema(settings.common)
    return create_app(settings)
