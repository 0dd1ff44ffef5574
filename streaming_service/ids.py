"""Ids of videos and tags of languages in addresses."""

from werkzeug.routing import BaseConverter


class VideoIdConverter(BaseConverter):
    """Takes what has the form of an id, so that nothing else reaches a view, let alone a path.

    Text of any other form is at no address, whoever asks. `common.ids` makes the ids.
    """

    regex = "[A-Za-z0-9_][A-Za-z0-9_-]{21}"


class LanguageConverter(BaseConverter):
    """Takes what could be a tag of a language."""

    regex = "[A-Za-z0-9-]{2,35}"
