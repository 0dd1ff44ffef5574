"""The library, the watch page, and the authorisation of media requests."""
