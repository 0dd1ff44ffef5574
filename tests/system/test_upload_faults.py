"""What was acknowledged is kept, whatever breaks: many faults, drawn from a seed.

`FAULT_SEED` repeats a run, `FAULT_ROUNDS` scales it: `make soak` runs 200 faults of each kind.
"""

import os
import random
import secrets
from collections.abc import Callable

import pytest

from tests.system.deployment import Origin
from tests.system.http_client import Person
from tests.system.upload_faults import (
    Journey,
    Tally,
    cut_in_the_middle,
    damage_on_the_way,
    kill_in_a_write,
)

pytestmark = pytest.mark.usefixtures("without_processing")

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "10"))
SEED = os.environ.get("FAULT_SEED") or secrets.token_hex(4)


@pytest.mark.parametrize("fault", [kill_in_a_write, cut_in_the_middle, damage_on_the_way])
def test_an_upload_survives(
    origin: Origin, alice: Person, fault: Callable[[Journey, Tally], None]
) -> None:
    tally = Tally()
    journeys = 0
    while tally.landed < ROUNDS:
        # A kill that comes after the answer is no fault; most come before.
        assert journeys < 3 * ROUNDS, tally.words()
        dice = f"{SEED}-{fault.__name__}-{journeys}"
        try:
            fault(Journey(origin, alice, random.Random(dice)), tally)
        except AssertionError as error:
            raise AssertionError(f"FAULT_SEED={SEED}, journey {dice}: {error}") from error
        journeys += 1
    print(f"\nFAULT_SEED={SEED} {fault.__name__}: {journeys} uploads, {tally.words()}")  # noqa: T201 (what it came to)
