"""Tests of the gateway: its own configuration under a real nginx, on loopback."""
