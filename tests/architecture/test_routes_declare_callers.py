"""Every blueprint says who may call it, "anybody" included."""

import pytest

from common.web.auth import audience_of
from tests.conftest import Site


@pytest.mark.parametrize("service", ["auth", "upload", "streaming"])
def test_every_route_belongs_to_a_blueprint_that_admits_somebody(site: Site, service: str) -> None:
    app = site.apps[service]
    rules = list(app.url_map.iter_rules())
    assert len(rules) > 3
    for rule in rules:
        blueprint = rule.endpoint.rpartition(".")[0]
        assert audience_of(app, blueprint) is not None, rule
