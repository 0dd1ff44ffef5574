"""The auth service's table of contents."""

import os

from flask import Flask

from auth_service.settings import AuthSettings
from common.settings import Environment
from common.web import new_app


def create_app(settings: AuthSettings) -> Flask:
    """Make the app of these settings."""
    app = new_app("auth_service", settings.common)
    app.extensions["settings"] = settings
    return app


def from_environment() -> Flask:
    """Make the app of the process's environment; gunicorn calls this in each worker.

    :raises SettingsError: a setting is missing or wrong.
    """
    return create_app(AuthSettings.read(Environment(os.environ)))
