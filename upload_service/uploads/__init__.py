"""Uploads: bytes on their way in, and how they become videos. Nothing here knows a protocol.

Created, appended to, finished or deleted; with the quota, the lock and the checksum of each.
"""
