"""Tests of the transcode service."""
