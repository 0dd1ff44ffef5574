"""Caddy in front of stand-ins for the services, and what starts them all."""
