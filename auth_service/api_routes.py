"""Sessions for scripts: a token to send as `Authorization: Bearer`, in place of a cookie."""

from flask import Blueprint, Response, jsonify, request

from auth_service.exchange import caller, clear_session, gate, viewer_json
from auth_service.signing_in import sign_in
from common.web.auth import Audience, require_viewer, restrict_to, session_cookie, session_token
from common.web.forms import json_fields
from common.web.services import stores

blueprint = Blueprint("api_session", __name__, url_prefix="/api/session")
restrict_to(blueprint, Audience.ANYBODY)


@blueprint.post("")
def begin() -> tuple[Response, int]:
    """Sign in; the same rules and limits as for the page."""
    fields = json_fields("username", "password")
    token, viewer = sign_in(
        gate(), username=fields["username"], password=fields["password"], caller=caller()
    )
    return jsonify(token=token, user=viewer_json(viewer)), 201


@blueprint.get("")
def show() -> Response:
    """Tell who is signed in."""
    return jsonify(viewer_json(require_viewer()))


@blueprint.delete("")
def end() -> Response:
    """End the session that the request came with; being signed out already is fine."""
    stores().sessions.end(session_token())
    response = Response(status=204)
    if session_cookie() in request.cookies:
        clear_session(response)
    return response
