"""Flask's URL converters for video ids and language tags."""

from werkzeug.routing import BaseConverter

from common.ids import PATTERN


class VideoIdConverter(BaseConverter):
    """Matches text that has the form of an id (see `common.ids`), of a video or anything else."""

    regex = PATTERN


class LanguageConverter(BaseConverter):
    """Matches text that could be a language tag."""

    regex = "[A-Za-z0-9-]{2,35}"
