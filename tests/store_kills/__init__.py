"""`kill -9` of whatever touches files while they move between the disk and the object store."""
