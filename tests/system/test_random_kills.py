r"""A random container is killed every 20 seconds, while people watch, open pages and upload.

    KILL_MINUTES=10 KILL_SEED=7 SOAK=1 STACK=compose \
        python -m pytest tests/system/test_random_kills.py

There are two of each service; MySQL, Redis and the object store stay. A viewer whose gateway is
killed goes to the other, and is counted anew there.
"""

import os
import random
import secrets
import time
from collections import Counter
from contextlib import nullcontext

import pytest

from tests.system.http_client import Person
from tests.system.load import WRONG_BYTES, is_processed, under_load, upload_film
from tests.system.replicas import SERVICES, Replicas

pytestmark = [pytest.mark.compose_only, pytest.mark.soak_only, pytest.mark.needs_ffmpeg]

MINUTES = float(os.environ.get("KILL_MINUTES", "10"))
SEED = os.environ.get("KILL_SEED") or secrets.token_hex(4)
EVERY = 20  # seconds from one kill to the next
GAP = 5  # seconds for which a viewer may get nothing


def test_nothing_is_lost_whatever_is_killed(replicas: Replicas, owner: Person) -> None:
    dice = random.Random(SEED)
    targets = [(name, one) for name in SERVICES for one in replicas.replicas(name)]
    film = upload_film(replicas, owner)
    killed: Counter[str] = Counter()
    with under_load(replicas, owner, film, seed=SEED) as load:
        end = time.monotonic() + 60 * MINUTES
        while time.monotonic() < end:
            following = time.monotonic() + EVERY
            service, container = dice.choice(targets)
            gateway = replicas.gateways.get(service)
            with load.balancer.without(gateway) if gateway else nullcontext():
                replicas.kill(container)
                replicas.wait_for(container)
            killed[service] += 1
            time.sleep(max(0, following - time.monotonic()))
    print(f"\nKILL_SEED={SEED}: killed {dict(killed)}; {load.words()}")  # noqa: T201 (what it came to)

    assert not load.lost, "\n".join(load.lost)
    assert [failure for failure in load.failures if WRONG_BYTES in failure] == []
    videos = [video for uploader in load.uploaders for video in uploader.videos]
    assert videos
    assert [video for video in videos if not is_processed(owner, video)] == []
    assert load.gap <= GAP, "\n".join(load.failures)
