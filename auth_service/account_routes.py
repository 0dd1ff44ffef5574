"""One's own account: where it is signed in, its password, and its end."""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from auth_service import accounts
from auth_service.exchange import again, caller, clear_session, gate, settings
from auth_service.leaving import close_account
from auth_service.signing_in import confirm
from common.errors import MatineeError, NotFound
from common.quota import storage_use
from common.web.auth import Audience, require_viewer, restrict_to, session_token
from common.web.forms import form_fields
from common.web.services import stores

_DONE = {
    "password": "Your password is changed. All your other sessions have ended.",
    "session": "That session has ended.",
    "sessions": "All your other sessions have ended.",
}

blueprint = Blueprint("account", __name__, url_prefix="/account")
restrict_to(blueprint, Audience.SIGNED_IN)


@blueprint.get("")
def show() -> str:
    """Show the account and its sessions."""
    return _page()


@blueprint.post("/sessions/<session_id>/end")
def end_session(session_id: str) -> Response:
    """End one of one's own sessions."""
    if not stores().sessions.end_listed(require_viewer().id, session_id):
        raise NotFound
    return redirect("/account?done=session", 303)


@blueprint.post("/sessions/end-others")
def end_other_sessions() -> Response:
    """End all of one's own sessions but the one that asks."""
    stores().sessions.end_all(require_viewer().id, but=session_token())
    return redirect("/account?done=sessions", 303)


@blueprint.post("/password")
def change_password() -> Response:
    """Change the password; every other session ends."""
    form = form_fields("current", "password", optional=("username",))
    viewer = require_viewer()
    try:
        user = confirm(gate(), viewer=viewer, password=form["current"], caller=caller())
        new_hash = gate().passwords.hash(form["password"])
        accounts.change_password(stores(), user=user, new_hash=new_hash, token=session_token())
    except MatineeError as error:
        return again(error, lambda sentence: _page(error=sentence, errors_in="password"))
    return redirect("/account?done=password", 303)


@blueprint.post("/delete")
def delete() -> Response:
    """Delete the account with its videos."""
    form = form_fields("password")
    viewer = require_viewer()
    try:
        user = confirm(gate(), viewer=viewer, password=form["password"], caller=caller())
        close_account(stores(), user=user)
    except MatineeError as error:
        return again(error, lambda sentence: _page(error=sentence, errors_in="delete"))
    response = redirect("/login", 303)
    clear_session(response)
    return response


def _page(*, error: str | None = None, errors_in: str | None = None) -> str:
    viewer = require_viewer()
    return render_template(
        "auth/account.html",
        sessions=stores().sessions.summaries(viewer.id, current=session_token()),
        video_count=stores().database.read(
            lambda session: accounts.count_videos(session, owner_id=viewer.id)
        ),
        storage=stores().database.read(
            lambda session: storage_use(session, user_id=viewer.id, default_quota=settings().quota)
        ),
        error=error,
        errors_in=errors_in,
        notice=_DONE.get(request.args.get("done", "")),
    )
