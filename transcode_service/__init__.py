"""Checks uploaded videos, and makes their thumbnails and HLS renditions."""
