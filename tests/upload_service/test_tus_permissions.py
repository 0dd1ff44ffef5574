"""Who gets what from the addresses of resumable uploads: their part of the permission matrix.

tus has headers, methods and statuses of its own, so its cells are here; `tests/permissions` holds
the list of addresses.
"""

import pytest

from common.stores import Stores
from db.engine import Database
from db.models import Role, User
from tests.conftest import Client, Site
from tests.permissions.matrix import TUS
from tests.upload_service.conftest import Rows, add_user, sign_in
from tests.upload_service.tus_client import OCTETS, Tus

CALLERS = ("nobody", "viewer", "stranger", "administrator", "owner")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
COLLECTION, UPLOAD, DISCARD, DESCRIPTION = TUS

# What an uploader is answered who may do it all; other methods are 405.
GRANTED = {
    COLLECTION: {"POST": 201, "OPTIONS": 204},
    UPLOAD: {"HEAD": 200, "PATCH": 204, "DELETE": 204, "OPTIONS": 204},
    DISCARD: {"POST": 303},
    DESCRIPTION: {"GET": 200, "HEAD": 200, "PATCH": 200},
}
# What does not depend on whose upload it is.
FOR_EVERY_UPLOADER = {(COLLECTION, "POST"), (COLLECTION, "OPTIONS"), (UPLOAD, "OPTIONS")}


def expected(address: str, method: str, caller: str) -> set[int]:
    granted = GRANTED[address].get(method)
    if caller == "nobody":
        return {401, 303, 405} if granted is None else {401}
    if caller == "viewer":
        return {403, 405} if granted is None else {403}
    if granted is None:
        return {405, 200} if method == "OPTIONS" else {405}
    if caller == "owner" or (address, method) in FOR_EVERY_UPLOADER:
        return {granted}
    return {404}


@pytest.fixture
def people(
    site: Site, stores: Stores, database: Database, owner: User, alice: Client, bob: Client
) -> dict[str, Client]:
    viewer = add_user(database, "vera", Role.VIEWER)
    administrator = add_user(database, "root", Role.ADMIN)
    return {
        "nobody": site.browser(),
        "viewer": sign_in(site, stores, viewer),
        "stranger": bob,
        "administrator": sign_in(site, stores, administrator),
        "owner": alice,
    }


@pytest.mark.parametrize("address", TUS)
@pytest.mark.parametrize("caller", CALLERS)
def test_every_cell(people: dict[str, Client], rows: Rows, address: str, caller: str) -> None:
    for method in METHODS:
        where = Tus(people["owner"]).begin(10)
        target = address.replace("<upload>", where.rsplit("/", 1)[1])
        before = len(rows.uploads())
        headers = {"Upload_Length": "5"} if address == COLLECTION else {}
        content = b""
        if address == DESCRIPTION:
            headers, content = {"Content_Type": "application/json"}, b'{"title": "Changed"}'
        elif method == "PATCH":
            headers = {"Upload_Offset": "0", "Content_Type": OCTETS}
        answer = Tus(people[caller]).send(method, target, content, **headers)
        wanted = expected(address, method, caller)
        assert answer.status_code in wanted, (method, address, caller, answer.status_code)
        if answer.status_code >= 400:
            assert len(rows.uploads()) == before, (method, address, caller)


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_another_site_changes_nothing(people: dict[str, Client], rows: Rows, method: str) -> None:
    where = Tus(people["owner"]).begin(10)
    for target in (
        COLLECTION,
        where,
        f"{where}/discard",
        where.replace("/upload/files", "/api/uploads"),
    ):
        headers = {"Sec_Fetch_Site": "cross-site", "Upload_Length": "5", "Upload_Offset": "0"}
        answer = Tus(people["owner"]).send(method, target, **headers)
        assert answer.status_code in (403, 405), target
    assert len(rows.uploads()) == 1
