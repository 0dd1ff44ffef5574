"""Videos and what belongs to them: lists, changes, captions, positions, failed jobs.

Rules take a session or a database, and import no Flask.
"""
