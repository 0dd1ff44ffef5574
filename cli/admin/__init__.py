"""The operator's commands: `matinee admin ...`."""
