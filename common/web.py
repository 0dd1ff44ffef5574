"""What every service's app begins as."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from common.crosssite import refuse_cross_site
from common.errors import handle_errors
from common.health import watch_health
from common.log import configure, trace_requests
from common.pages import prepare_pages
from common.services import Services, install

FORM_LIMIT = 64 * 1024  # bytes; a form of ours holds a name, a password, a description


def new_app(name: str, services: Services) -> Flask:
    """Make an app with request ids, services, checks, error pages, templates and health.

    The order counts: the id comes before anything that may be logged.

    :param name: of the service's package, which holds its `templates` folder.
    """
    app = Flask(name, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = FORM_LIMIT
    settings = services.common
    app.config["SESSION_COOKIE_SECURE"] = settings.cookie_secure
    install(app, services)
    configure(settings.log_level)
    if settings.trust_gateway:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=0)  # type: ignore[method-assign]
    trace_requests(app, trust_gateway=settings.trust_gateway)
    refuse_cross_site(app)
    handle_errors(app)
    prepare_pages(app, static_dir=settings.static_dir)
    watch_health(app, services)
    return app
