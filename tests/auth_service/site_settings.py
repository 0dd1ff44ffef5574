"""Changing settings of the site in tests."""

from tests.conftest import Site


def set_site(site: Site, **values: object) -> None:
    """Decide settings of the site, as the environment would; None takes the decision away."""
    for app in site.apps.values():
        fixed = app.extensions["matinee"].stores.site.fixed
        for key, value in values.items():
            if value is None:
                fixed.pop(key, None)
            else:
                fixed[key] = value
