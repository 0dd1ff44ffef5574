"""The services that an app's views use: one typed object per app, made with the app."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from flask import Flask, current_app
from flask.sansio.app import App

from common.settings import CommonSettings
from common.stores import Stores

_KEY = "matinee"


@dataclass(kw_only=True)
class Services:
    """What every service has; each service adds its own in a subclass.

    :ivar checks: what must succeed for the service to be ready, by name; see `common.web.health`.
    """

    common: CommonSettings
    stores: Stores
    checks: dict[str, Callable[[], object]] = field(default_factory=dict)


S = TypeVar("S", bound=Services)


def install(app: Flask, services: Services) -> None:
    """Give an app its services."""
    app.extensions[_KEY] = services


def services_of(app: App, kind: type[S]) -> S:
    """Return the services of an app.

    :raises TypeError: it has those of another service.
    """
    found = app.extensions[_KEY]
    if not isinstance(found, kind):
        raise TypeError(f"{app.name} has {type(found).__name__}, not {kind.__name__}")
    return found


def current_services(kind: type[S]) -> S:
    """Return the services of the app that is answering."""
    return services_of(current_app, kind)


def stores() -> Stores:
    """Return the stores of the app that is answering."""
    return current_services(Services).stores
