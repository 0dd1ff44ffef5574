"""What a form has just done: said on the page that it leads to, by `?done=` in its address."""

from collections.abc import Mapping

from flask import request

from common.translation import gettext


def done_notice(notices: Mapping[str, str]) -> str | None:
    """Return the sentence for what was done, or None.

    :param notices: sentences, marked by `gettext_noop`, by the values of `done`.
    """
    sentence = notices.get(request.args.get("done", ""))
    return None if sentence is None else gettext(sentence)
