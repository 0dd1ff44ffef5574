"""Prepares videos: checks them, draws their pictures, and adds HLS renditions."""
