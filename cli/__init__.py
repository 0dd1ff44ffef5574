"""Matinee's command line."""
