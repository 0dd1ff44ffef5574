"""Builds the documentation in `docs/` into the pages that are served at `/help`."""
