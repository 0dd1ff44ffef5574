"""A front server for all tests of a module."""

from collections.abc import Iterator

import pytest

from tests.standalone.harness import Front


@pytest.fixture(scope="package")
def shared_front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Caddy on three ports, with a short path for its sockets."""
    running = Front(tmp_path_factory.mktemp("front"))
    yield running
    running.close()


@pytest.fixture
def front(shared_front: Front) -> Iterator[Front]:
    """The running Caddy; what its services saw and answer is as at first."""
    replies = {name: service.reply for name, service in shared_front.services.items()}
    for service in shared_front.services.values():
        service.seen.clear()
        service.began.clear()
    yield shared_front
    for name, reply in replies.items():
        shared_front.services[name].reply = reply
