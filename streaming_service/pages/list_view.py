"""How lists of videos are shown: as a grid of cards, or as rows. The browser keeps the choice.

?view=grid|list   chooses, and is kept in a cookie for a year
"""

import enum

from flask import request
from werkzeug.wrappers import Response

from common.web.choices import keep_choice

VIEW_COOKIE = "matinee_view"


class ListView(enum.StrEnum):
    """The two ways to show a list of videos."""

    GRID = "grid"
    LIST = "list"


def current_view() -> ListView:
    """Return how the request wants lists to be shown."""
    kept = request.cookies.get(VIEW_COOKIE, ListView.GRID, type=ListView)
    return request.args.get("view", kept, type=ListView)


def keep_view(response: Response) -> Response:
    """Let the browser keep the choice that the request's address makes, if it makes one."""
    if chosen := request.args.get("view", type=ListView):
        keep_choice(response, VIEW_COOKIE, chosen.value)
    return response
