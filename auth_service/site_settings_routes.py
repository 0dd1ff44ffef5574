"""The settings of the site, its logo, and the steps after the first account.

GET  /admin/settings                   POST: changes the settings that the form names
POST /admin/settings/logo              a file in `logo`; nothing chosen removes it
GET  /admin/setup                      POST: the name, then who may join
GET  /admin/setup/joining              POST: who may join, then the first upload
GET  /admin/setup/upload
GET  /logo/<sha256>.png                for everybody, who is signed in or not
"""

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from auth_service import site_admin
from auth_service.moving import load_moving
from auth_service.request_helpers import rerender_with_error
from auth_service.services import services
from common.errors import MatineeError
from common.fixed_settings import ENVIRONMENT
from common.translation import gettext_noop
from common.web.auth import Audience, current_actor, restrict_to
from common.web.error_handlers import wants_json
from common.web.forms import form_fields, require_type
from common.web.notices import notice_of
from common.web.services import stores

_DONE = {
    "saved": gettext_noop("Your changes are saved."),
    "logo": gettext_noop("The logo is changed."),
    "no-logo": gettext_noop("The logo is removed."),
}
_FORM_SLACK = 16 * 1024  # bytes of a form around its file

blueprint = Blueprint("site_settings", __name__)
restrict_to(blueprint, Audience.ADMINISTRATORS)
logo = Blueprint("logo", __name__)
restrict_to(logo, Audience.ANYBODY)


@blueprint.get("/admin/settings")
def show() -> str:
    """Show the settings."""
    return _page()


@blueprint.post("/admin/settings")
def change() -> AnyResponse:
    """Change the settings that the form names."""
    try:
        _change()
    except MatineeError as error:
        return rerender_with_error(error, _page)
    return jsonify(saved=True) if wants_json() else redirect("/admin/settings?done=saved", 303)


@blueprint.post("/admin/settings/logo")
def change_logo() -> AnyResponse:
    """Show another logo, or none."""
    request.max_content_length = site_admin.MAX_LOGO_BYTES + _FORM_SLACK
    require_type("multipart/form-data")
    content = b""
    if file := request.files.get("logo"):
        content = file.read()
        file.close()
    try:
        site_admin.change_logo(stores(), current_actor(), content)
    except MatineeError as error:
        return rerender_with_error(error, _page, errors_in="logo")
    return redirect(f"/admin/settings?done={'logo' if content else 'no-logo'}", 303)


@blueprint.get("/admin/setup")
def show_name() -> str:
    """Show the first step: the name of the site."""
    return _step("name")


@blueprint.post("/admin/setup")
def save_name() -> AnyResponse:
    """Save the name, and go on."""
    return _save_step("name", next_path="/admin/setup/joining")


@blueprint.get("/admin/setup/joining")
def show_joining() -> str:
    """Show the second step: who may join."""
    return _step("joining")


@blueprint.post("/admin/setup/joining")
def save_joining() -> AnyResponse:
    """Save who may join, and go on."""
    return _save_step("joining", next_path="/admin/setup/upload")


@blueprint.get("/admin/setup/upload")
def show_upload() -> str:
    """Show the last step: the first upload."""
    return _step("upload")


@logo.get("/logo/<sha256>.png")
def send_logo(sha256: str) -> AnyResponse:
    """Send a logo. Its address changes with it, so that it can be kept for ever."""
    response = Response(site_admin.load_logo(stores().database, sha256), mimetype="image/png")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    return response


def _change() -> None:
    form = form_fields(optional=site_admin.FIELDS)
    given = {name: text for name, text in form.items() if name in request.form}
    site_admin.change_settings(stores(), current_actor(), given)


def _save_step(step: str, *, next_path: str) -> AnyResponse:
    try:
        _change()
    except MatineeError as error:
        return rerender_with_error(error, _step, step=step)
    return redirect(next_path, 303)


def _step(step: str, *, error: str | None = None) -> str:
    return render_template(f"auth/setup_{step}.html", error=error, **_values())


def _page(*, error: str | None = None, errors_in: str | None = None) -> str:
    moving = load_moving(stores().database, default_store=services().settings.default_store)
    return render_template(
        "auth/settings.html",
        error=error,
        errors_in=errors_in,
        notice=notice_of(_DONE),
        has_object_store=moving is not None,
        **_values(),
    )


def _values() -> dict[str, object]:
    """Return what the forms show: the values, and which of them the environment decides."""
    site = stores().site
    settings = stores().database.read(site.load)
    return {
        "values": site_admin.form_values(settings),
        "fixed": {key: ENVIRONMENT[key] for key in site.fixed},
        "has_logo": settings.logo != "",
    }
