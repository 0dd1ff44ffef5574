"""The page "Design": every part of the interface in every state, for those who work on it."""

from flask import Blueprint, render_template

from common.web.auth import Audience, restrict_to

blueprint = Blueprint("design", __name__)
restrict_to(blueprint, Audience.ADMINISTRATORS)


@blueprint.get("/design")
def show_design() -> str:
    """Show the tokens and the parts, by the macros and classes that all pages use."""
    return render_template("auth/design.html")
