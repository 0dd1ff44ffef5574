"""The answer to a form that was refused."""

from flask import Response, make_response

from common.errors import MatineeError
from common.web.error_handlers import wants_json


def refused(error: MatineeError, page: str) -> Response:
    """Answer with the page of the form, which says why not.

    :raises MatineeError: the error itself, if it was a script that sent the form.
    """
    if wants_json():
        raise error
    response = make_response(page, error.status)
    response.headers.update(error.headers)
    return response
