"""The auth service's table of contents."""

import os

from argon2 import Parameters
from argon2.profiles import RFC_9106_LOW_MEMORY
from flask import Flask

from auth_service import (
    account_api_routes,
    account_routes,
    admin_routes,
    design_routes,
    group_api_routes,
    group_routes,
    invitation_routes,
    language_routes,
    login_routes,
    offline_routes,
    password_link_routes,
    registration_routes,
    session_api_routes,
    site_settings_routes,
    theme_routes,
    webapp_routes,
)
from auth_service.quotas import format_quota
from auth_service.rate_limits import NameLimit, RegistrationLimits
from auth_service.services import AuthServices
from auth_service.settings import AuthSettings
from common.passwords import Passwords
from common.process.schema_check import check_schema
from common.settings import Environment
from common.stores import Stores
from common.web.app_factory import new_app
from common.web.rate_limits import PasswordLimits, RateLimits

_STRENGTHS_PER_HOUR = 2000  # from one network: a request each time somebody stops typing


def create_app(settings: AuthSettings, *, hash_cost: Parameters = RFC_9106_LOW_MEMORY) -> Flask:
    """Make the app of these settings.

    :param hash_cost: of a new password's hash.
    """
    stores = Stores.of(settings.common)
    limits = RateLimits(stores.redis)
    registrations = RegistrationLimits(limits, per_hour=settings.registrations_per_hour)
    services = AuthServices(
        common=settings.common,
        stores=stores,
        settings=settings,
        passwords=Passwords(hash_cost),
        limits=PasswordLimits(limits, of="name"),
        token_limits=PasswordLimits(limits, of="token"),
        registrations=registrations,
        names=NameLimit(limits),
    )
    app = new_app("auth_service", services)
    limits.init_app(app)
    app.add_template_filter(format_quota, "quota")
    registrations.limit_attempts(registration_routes.blueprint)
    registrations.limit_attempts(invitation_routes.blueprint)
    limits.limit_posts(_STRENGTHS_PER_HOUR)(registration_routes.strength)
    for module in (
        login_routes,
        language_routes,
        registration_routes,
        invitation_routes,
        password_link_routes,
        account_routes,
        account_api_routes,
        theme_routes,
        admin_routes,
        site_settings_routes,
        group_routes,
        group_api_routes,
        session_api_routes,
        offline_routes,
        webapp_routes,
        design_routes,
    ):
        app.register_blueprint(module.blueprint)
    app.register_blueprint(registration_routes.strength)
    app.register_blueprint(invitation_routes.administration)
    app.register_blueprint(site_settings_routes.logo)
    return app


def from_environment() -> Flask:
    """Make the app of the process's environment; gunicorn calls this in each worker.

    :raises SettingsError: a setting is missing or wrong.
    :raises SchemaTooOld: the database is older than this version.
    """
    settings = AuthSettings.read(Environment(os.environ))
    check_schema(settings.common)
    return create_app(settings)
