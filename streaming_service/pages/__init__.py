"""Blueprints: pages and JSON. Each module of routes says who may call it."""
