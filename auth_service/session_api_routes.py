"""Sessions for scripts: a token to send as `Authorization: Bearer` instead of a cookie."""

from flask import Blueprint, Response, jsonify, request

from auth_service.login import log_in
from auth_service.request_helpers import clear_session, client_info
from auth_service.services import services
from common.access import Viewer
from common.web.auth import Audience, require_viewer, restrict_to, session_cookie, session_token
from common.web.forms import json_fields

blueprint = Blueprint("api_session", __name__, url_prefix="/api/session")
restrict_to(blueprint, Audience.ANYBODY)


@blueprint.post("")
def begin() -> tuple[Response, int]:
    """Begin a session; the same rules and limits as for the login page."""
    fields = json_fields("username", "password")
    token, viewer = log_in(
        services(), username=fields["username"], password=fields["password"], client=client_info()
    )
    return jsonify(token=token, user=_as_json(viewer)), 201


@blueprint.get("")
def show() -> Response:
    """Return who is signed in."""
    return jsonify(_as_json(require_viewer()))


@blueprint.delete("")
def end() -> Response:
    """End the session of this request, if there is one."""
    services().stores.sessions.end(session_token())
    response = Response(status=204)
    if session_cookie() in request.cookies:
        clear_session(response)
    return response


def _as_json(viewer: Viewer) -> dict[str, object]:
    return {"id": viewer.id, "name": viewer.name, "role": viewer.role.value}
