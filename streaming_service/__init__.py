"""The library, the watch page, and who gets which bytes."""
