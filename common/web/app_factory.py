"""The app factory that all Flask services share."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from common.logging_setup import configure_logging
from common.web.csrf import install_csrf_check
from common.web.error_handlers import install_error_handlers
from common.web.health import install_health
from common.web.hosts import refuse_unknown_hosts
from common.web.languages import install_languages
from common.web.last_seen import install_last_seen
from common.web.request_log import install_request_log
from common.web.services import Services, install
from common.web.templating import install_templating

FORM_LIMIT = 64 * 1024  # bytes; our forms hold a name, a password, a description


def new_app(name: str, services: Services) -> Flask:
    """Make an app with request ids, services, checks, error pages, templates and health.

    The order matters: the request id comes before anything that may be logged.

    :param name: of the service's package, which contains its `templates` folder.
    """
    app = Flask(name, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = FORM_LIMIT
    settings = services.common
    app.config["SESSION_COOKIE_SECURE"] = settings.cookie_secure
    install(app, services)
    configure_logging(settings.log_level)
    if settings.trust_gateway:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=0)  # type: ignore[method-assign]
    install_request_log(app, trust_gateway=settings.trust_gateway)
    refuse_unknown_hosts(app, settings.allowed_hosts)
    install_csrf_check(app)
    install_last_seen(app)
    install_error_handlers(app)
    install_templating(app, static_dir=settings.static_dir)
    install_languages(app)
    install_health(app, services)
    return app
