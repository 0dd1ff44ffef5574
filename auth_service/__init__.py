"""Accounts, log in, sessions, roles."""
