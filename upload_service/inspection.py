"""The former place of `upload_service.inspect`."""

from upload_service.inspect import inspect_file as inspect

__all__ = ["inspect"]
