"""The page that the service worker shows while there is no network."""

from flask import Blueprint, render_template

from common.web.auth import Audience, restrict_to

blueprint = Blueprint("offline", __name__)
restrict_to(blueprint, Audience.ANYBODY)


@blueprint.get("/offline")
def show_offline() -> str:
    """Show what browsers keep for later: it is the same for everybody who reads its language."""
    return render_template("auth/offline.html")
