"""The services use their web server by its public interface, and write no HTTP themselves."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "auth_service",
    "cli",
    "common",
    "db",
    "standalone",
    "streaming_service",
    "transcode_service",
    "upload_service",
)
MODULES = [module for package in PACKAGES for module in (ROOT / package).rglob("*.py")]
# Servers and parsers of HTTP. `urllib` and `http.client` are clients.
SERVERS = ("gunicorn", "http.server", "socketserver", "wsgiref", "asyncio", "h11", "httptools")
# Documented, in spite of their names: of `os`, and of named tuples.
DOCUMENTED = {"_exit", "_replace", "_asdict", "_fields"}
# They exist for type checkers alone: the types of WSGI and of hashes have no other names.
TYPES = ("_typeshed", "hashlib._Hash")
MESSAGE = re.compile(r"HTTP/1\.[01]|\\r\\n\\r\\n|Transfer-Encoding: ")


def tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def imported(module: Path) -> Iterator[str]:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_module_imports_a_server() -> None:
    found = [
        f"{module.relative_to(ROOT)}: {name}"
        for module in MODULES
        for name in imported(module)
        if any(name == server or name.startswith(f"{server}.") for server in SERVERS)
    ]
    assert found == []


def test_no_module_parses_or_writes_http_messages() -> None:
    found = [
        f"{module.relative_to(ROOT)}:{node.lineno}"
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str | bytes)
        and MESSAGE.search(repr(node.value))
    ]
    assert found == []


def test_no_module_uses_private_names_of_another() -> None:
    found = []
    for module in MODULES:
        for name in imported(module):
            if "._" in f".{name}" and not name.startswith(TYPES):
                found.append(f"{module.relative_to(ROOT)}: {name}")
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Attribute) and re.match(r"_[a-z]", node.attr):
                own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
                if not own and node.attr not in DOCUMENTED:
                    found.append(f"{module.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}")
    assert found == []
