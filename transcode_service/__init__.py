"""Checks what was uploaded, draws its pictures, and adds HLS renditions."""
