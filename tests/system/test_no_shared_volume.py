"""Two containers of each service, and no volume that they share: uploads are in the object store.

`FAULT_ROUNDS=100` sends one upload in so many requests; `FAULT_SEED` repeats a run.
"""

import json
import os
import random
import secrets

import pytest

from tests.containers import docker
from tests.system.http_client import Person
from tests.system.replicas import Replicas, same_person
from tests.system.test_processing import state
from tests.system.tus import Tus
from tests.system.upload_faults import Journey
from tests.waiting import wait_until

pytestmark = [pytest.mark.compose_only, pytest.mark.needs_ffmpeg]

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "12"))
SEED = os.environ.get("FAULT_SEED") or secrets.token_hex(4)
PIECE = 2 << 20  # bytes of a request on average: several make a part of the store
KILL_EVERY = 10  # rounds; what a killed container was writing is free after 20 s


@pytest.fixture(scope="module")
def journey(replicas: Replicas, owner: Person) -> Journey:
    """An upload that has been announced through the gateway."""
    return Journey(replicas, owner, random.Random(SEED), size=ROUNDS * PIECE)


def kill_while_it_writes(journey: Journey, replicas: Replicas, container: str, end: int) -> None:
    """Send half of a request, and kill the container that receives it."""
    start = journey.told
    half = (start + end) // 2
    with journey.tus.open_patch(journey.where, start, end - start) as connection:
        connection.sendall(journey.source[start:half])
        replicas.kill(container)


def test_an_upload_alternates_between_two_containers(
    replicas: Replicas, owner: Person, journey: Journey
) -> None:
    ends = sorted(journey.dice.sample(range(1, len(journey.source)), ROUNDS - 1))
    containers = replicas.replicas("upload")
    clients = [Tus(person) for person in replicas.at_uploads(owner)]
    kills = 0
    for number, end in enumerate([*ends, len(journey.source)]):
        turn = number % 2
        journey.tus = clients[turn]
        if number % KILL_EVERY == KILL_EVERY // 2:
            kill_while_it_writes(journey, replicas, containers[turn], end)
            kills += 1
            # A container that was started again has another port.
            clients = [Tus(person) for person in replicas.at_uploads(owner)]
            journey.tus = clients[1 - turn]
        journey.go_on(end, away=True)
    print(f"\nFAULT_SEED={SEED}: {ROUNDS} requests, {kills} kills")  # noqa: T201 (what it came to)
    journey.tus = Tus(owner)

    journey.finish()


def test_it_plays_through_both_gateways(
    replicas: Replicas, owner: Person, journey: Journey
) -> None:
    """What plays was made by a worker that has the film from the store alone."""
    video = journey.id
    wait_until(lambda: state(owner, video) == "done", within=120, what="its renditions")

    for url in replicas.gateways.values():
        with same_person(owner, url) as viewer:
            told = viewer.get(f"/api/videos/{video}").json()
            master = viewer.get(told["processing"]["master"]).text
            playlist = next(line for line in master.splitlines() if line and line[0] != "#")
            segments = viewer.get(f"/stream/{video}/{playlist}").text
            assert segments.rstrip().endswith("#EXT-X-ENDLIST")
            assert viewer.get(f"/stream/{video}/{playlist[:-5]}.mp4").content[4:8] == b"ftyp"
            poster = viewer.get(f"/stream/{video}/poster.jpg")
            assert poster.headers["Content-Type"] == "image/jpeg"


def test_no_two_containers_have_a_folder_of_videos_in_common(replicas: Replicas) -> None:
    for service in ("upload", "janitor", "transcode", "streaming", "gateway", "gateway-2"):
        for container in replicas.replicas(service):
            mounts = json.loads(docker("inspect", "--format", "{{json .Mounts}}", container))
            assert "/videos" not in {mount["Destination"] for mount in mounts}
