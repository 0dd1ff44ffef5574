"""Receiving: the body of a request, a form's parts, and the thread that writes them to a file."""
