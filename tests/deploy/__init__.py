"""Files that put the containers together."""
