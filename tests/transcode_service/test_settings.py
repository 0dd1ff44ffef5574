"""The settings of the transcode service."""

from common.settings import Environment
from common.storage import RESERVED_SPACE
from transcode_service.settings import TranscodeSettings


def test_processing_leaves_as_much_space_as_uploads() -> None:
    given = {"DATABASE_URL": "sqlite://", "REDIS_URL": "redis://", "VIDEOS_DIR": "videos"}

    assert TranscodeSettings.read(Environment(given)).limits.reserve == RESERVED_SPACE
