"""Sharing: grants to people and groups, links, and the list of who can watch."""
