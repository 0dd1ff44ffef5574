"""One running Matinee for all system tests, and the cast.

`make test` starts the embedded one; `make test-system` (`STACK=compose`) the Compose stack. The
tests speak HTTP, and know nothing of the packages.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.system.deployment import Origin
from tests.system.http_client import Person, sign_up
from tests.system.replicas import Replicas, running


@pytest.fixture(scope="session")
def cast(origin: Origin, administrator: Person) -> Iterator[dict[str, Person]]:
    """Alice, who was here first and so is the administrator; Bob; Charlie; and nobody."""
    with ExitStack() as stack:
        others = {
            name: stack.enter_context(sign_up(origin.url, name)) for name in ("bob", "charlie")
        }
        yield {"alice": administrator, **others, "nobody": stack.enter_context(Person(origin.url))}


@pytest.fixture
def alice(cast: dict[str, Person]) -> Person:
    """The administrator, and the owner in these tests."""
    return cast["alice"]


@pytest.fixture
def bob(cast: dict[str, Person]) -> Person:
    """Somebody with an account, who must not see what is Alice's."""
    return cast["bob"]


@pytest.fixture
def charlie(cast: dict[str, Person]) -> Person:
    """A third."""
    return cast["charlie"]


@pytest.fixture
def nobody(cast: dict[str, Person]) -> Person:
    """Somebody who is signed out."""
    return cast["nobody"]


@pytest.fixture(scope="module")
def replicas() -> Iterator[Replicas]:
    """The Compose stack with two containers of each service, for one module."""
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def owner(replicas: Replicas) -> Iterator[Person]:
    """Whoever came there first."""
    with sign_up(replicas.url, "alice") as person:
        yield person
