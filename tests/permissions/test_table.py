"""The table has a line for every address of every service, and for no other."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from flask import Flask

from common.settings import CommonSettings
from streaming_service.delivery.auth_request import PATH
from tests.conftest import Site
from tests.permissions.matrix import MEDIA, METHODS, ROUTES, TUS, Route

_VARIABLE = re.compile(r"<(?:.*:)?(\w+?)(?:_id)?>")
_GIVEN_AWAY = {"HEAD", "OPTIONS"}  # Flask answers them wherever there is a GET, or anything

ANY_METHOD = frozenset({"any"})

Lines = set[tuple[str, str, str]]


def registered(service: str, app: Flask) -> Lines:
    """Return every address of an app with each of its methods, variables as in the table."""
    found = set()
    for rule in app.url_map.iter_rules():
        pattern = "/".join(_VARIABLE.sub(r"<\1>", part) for part in rule.rule.split("/"))
        if pattern in TUS:
            continue
        for method in ANY_METHOD if rule.methods is None else rule.methods - _GIVEN_AWAY:
            found.add((service, pattern, method))
    return found


def written_down(routes: Iterable[Route]) -> Lines:
    """Return every address of the table with each of its methods."""
    return {
        (route.service, route.pattern, method)
        for route in routes
        for method in (ANY_METHOD if route.is_media else route.grants)
    }


# Not in the URL map of the app: the front server's question is answered by a middleware, and media
# are sent by the front server itself.
IN_FRONT = {
    ("streaming", PATH, "GET"),
    *(("streaming", f"/stream/<video>/{name}", "any") for name in MEDIA),
}


def compare(apps: dict[str, Flask]) -> None:
    """Fail with the name of an address that only the apps or only the table know."""
    known = IN_FRONT.union(*(registered(service, app) for service, app in apps.items()))
    table = written_down(ROUTES)
    assert known <= table, f"without a line in the permission matrix: {sorted(known - table)}"
    assert table <= known, f"lines of the matrix that lead nowhere: {sorted(table - known)}"


@pytest.fixture
def own_site(common_settings: CommonSettings, tmp_path: Path) -> Site:
    """A site that no other test uses: a route that was added stays."""
    return Site(common_settings, tmp_path / "videos")


def test_every_route_has_its_line_and_every_line_its_route(site: Site) -> None:
    compare(site.apps)


@pytest.mark.parametrize("methods", [["GET"], ["POST"], ["DELETE", "PUT"]])
def test_a_new_route_is_missed_by_its_name(own_site: Site, methods: list[str]) -> None:
    own_site.apps["upload"].add_url_rule("/upload/<video_id>/new", "new", methods=methods)
    with pytest.raises(AssertionError, match="/upload/<video>/new"):
        compare(own_site.apps)


def test_a_new_method_of_an_old_address_is_missed(own_site: Site) -> None:
    own_site.apps["auth"].add_url_rule("/account", "new", methods=["DELETE"])
    with pytest.raises(AssertionError, match="DELETE"):
        compare(own_site.apps)


def test_a_route_that_is_gone_is_missed(site: Site) -> None:
    apps = {**site.apps, "upload": Flask("empty", static_folder=None)}
    with pytest.raises(AssertionError, match=r"lead nowhere.*'/upload', 'POST'"):
        compare(apps)


def test_no_address_has_two_lines() -> None:
    lines = [(route.service, route.pattern) for route in ROUTES]
    assert len(lines) == len(set(lines))


def test_every_method_that_an_app_could_take_is_tried(site: Site) -> None:
    for app in site.apps.values():
        for rule in app.url_map.iter_rules():
            assert set(rule.methods or ()) <= set(METHODS), rule


@pytest.mark.parametrize(
    "name",
    [
        "matrix.py",
        "matrix_client.py",
        "test_over_http.py",
        "sharing_matrix.py",
        "sharing_client.py",
        "test_sharing_over_http.py",
    ],
)
def test_what_speaks_http_knows_nothing_of_the_packages(name: str) -> None:
    tree = ast.parse(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    froms = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {name for name in froms if name.startswith("tests.")}
    assert ours <= {
        "tests.permissions",
        "tests.permissions.matrix",
        "tests.permissions.matrix_client",
        "tests.permissions.sharing_client",
        "tests.permissions.sharing_matrix",
        "tests.system.deployment",
        "tests.system.http_client",
        "tests.waiting",
    }
    packages = {path.parent.name for path in Path(__file__).parents[2].glob("*/__init__.py")}
    assert not {name.split(".")[0] for name in froms} & (packages - {"tests"})
