"""Matinee on a bare machine: the services of the containers behind Caddy, with nothing but Python.

`python -m standalone` starts everything; see `standalone.__main__`.
"""
