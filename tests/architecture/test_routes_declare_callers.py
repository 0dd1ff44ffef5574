"""Every blueprint says who may call it, "anybody" included."""

import pytest

from common.web import auth
from tests.conftest import Site


@pytest.mark.parametrize("service", ["auth", "upload", "streaming"])
def test_every_route_belongs_to_a_blueprint_that_admits_somebody(site: Site, service: str) -> None:
    app = site.apps[service]
    rules = list(app.url_map.iter_rules())
    assert len(rules) > 3
    for rule in rules:
        blueprint = rule.endpoint.rpartition(".")[0]
        checks = app.before_request_funcs.get(blueprint, [])
        assert any(check.__module__ == auth.__name__ for check in checks), rule
