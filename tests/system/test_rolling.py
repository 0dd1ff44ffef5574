"""All services are replaced, one container at a time, while people watch, open pages and upload.

SOAK=1 STACK=compose python -m pytest tests/system/test_rolling.py
"""

from contextlib import nullcontext

import pytest

from tests.system.http_client import Person
from tests.system.load import under_load, upload_film
from tests.system.replicas import SERVICES, Replicas

pytestmark = [pytest.mark.compose_only, pytest.mark.soak_only, pytest.mark.needs_ffmpeg]


def test_no_request_fails_while_all_containers_are_replaced(
    replicas: Replicas, owner: Person
) -> None:
    film = upload_film(replicas, owner)
    with under_load(replicas, owner, film, seed="rolling") as load:
        for service in SERVICES:
            gateway = replicas.gateways.get(service)
            for container in replicas.replicas(service):
                # Whatever is in front of the gateways sends nothing to one that is about to stop.
                with load.balancer.without(gateway) if gateway else nullcontext():
                    replicas.replace(service, container)
                assert container not in replicas.replicas(service)
    print(f"\n{load.words()}")  # noqa: T201 (what it came to)

    assert not load.failures, "\n".join([*load.failures, *replicas.errors])
    assert not load.lost, "\n".join(load.lost)
