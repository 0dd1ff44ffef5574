"""What was acknowledged is kept, whatever breaks: many faults, drawn from a seed.

Uploads are on the disk, and in an object store. `FAULT_SEED` repeats a run, `FAULT_ROUNDS` scales
it: `make soak` runs 200 faults of each kind in each place.
"""

import os
import random
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import store_origin
from tests.store_origin import StoreOrigin
from tests.system.deployment import Origin
from tests.system.http_client import Person, sign_up
from tests.system.upload_faults import (
    Journey,
    Tally,
    cut_in_the_middle,
    damage_on_the_way,
    kill_in_a_write,
)

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "3"))
SEED = os.environ.get("FAULT_SEED") or secrets.token_hex(4)
FAULTS = [kill_in_a_write, cut_in_the_middle, damage_on_the_way]
Fault = Callable[[Journey, Tally], None]
# Bytes of a video in the store: some have two parts and a tail, and some have no part.
LEAST, MOST = 1 << 20, 12 << 20


@pytest.fixture(scope="module")
def in_store(
    tmp_path_factory: pytest.TempPathFactory, migrated: str, redis_url: str, static_dir: Path
) -> Iterator[StoreOrigin]:
    """A running Matinee whose uploads are in an object store."""
    folder = tmp_path_factory.mktemp("store")
    with store_origin.running(
        folder, migrated=migrated, redis_url=redis_url, static=static_dir
    ) as origin:
        yield origin


@pytest.fixture(scope="module")
def owner(in_store: StoreOrigin) -> Iterator[Person]:
    """Whoever uploads there."""
    with sign_up(in_store.url, "alice") as person:
        yield person


@pytest.mark.usefixtures("without_processing")
@pytest.mark.parametrize("fault", FAULTS)
def test_an_upload_survives(origin: Origin, alice: Person, fault: Fault) -> None:
    survive(fault, "disk", ROUNDS, lambda dice: Journey(origin, alice, dice))


@pytest.mark.standalone_only
@pytest.mark.needs_nginx
@pytest.mark.parametrize("fault", FAULTS)
def test_an_upload_into_the_store_survives(
    in_store: StoreOrigin, owner: Person, fault: Fault
) -> None:
    def begin(dice: random.Random) -> Journey:
        return Journey(in_store, owner, dice, size=dice.randrange(LEAST, MOST))

    survive(fault, "store", -(-ROUNDS // 5) if ROUNDS < 100 else ROUNDS, begin)


def survive(
    fault: Fault, place: str, rounds: int, begin: Callable[[random.Random], Journey]
) -> None:
    """Send uploads until so many faults have landed."""
    tally = Tally()
    journeys = 0
    while tally.landed < rounds:
        # A kill that comes after the answer is no fault; most come before.
        assert journeys < 3 * rounds, tally.words()
        dice = f"{SEED}-{fault.__name__}-{journeys}"
        try:
            fault(begin(random.Random(dice)), tally)
        except AssertionError as error:
            raise AssertionError(f"FAULT_SEED={SEED}, journey {dice}: {error}") from error
        journeys += 1
    print(  # noqa: T201 (what it came to)
        f"\nFAULT_SEED={SEED} {fault.__name__}, {place}: {journeys} uploads, {tally.words()}"
    )
