"""A gateway for each module of tests, and a clean state of its stand-ins for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness import ALICE, VIDEO, Gateway, allow_only, running


@pytest.fixture(scope="module")
def shared_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A running gateway that knows one video of Alice's."""
    folder: Path = tmp_path_factory.mktemp("gateway")
    with running(folder) as gateway:
        gateway.put_video(VIDEO)
        yield gateway


@pytest.fixture
def gateway(shared_gateway: Gateway) -> Gateway:
    """The module's gateway, whose services answer as if nothing had happened."""
    for service in shared_gateway.services.values():
        service.seen.clear()
        service.began.clear()
        service.reply = service.reply_with_name
    shared_gateway.streaming.reply = allow_only(ALICE)
    return shared_gateway
