"""Imports run one way: service -> common -> db; standalone imports no service."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WEB = {"auth_service", "upload_service", "streaming_service"}
SERVICES = WEB | {"transcode_service"}
MAY_IMPORT = {
    "db": {"db"},
    "common": {"common", "db"},
    **{service: {service, "common", "db"} for service in sorted(SERVICES)},
    # It starts the services as programs of their own.
    "standalone": {"standalone", "common", "db"},
    # It fills a site over HTTP, as a program of somebody else's would.
    "demo": {"demo", "standalone", "common"},
    # The operator's commands; nothing imports it.
    "cli": {"cli", "auth_service", "upload_service", "common", "db"},
    "docs_site": {"docs_site"},
}
OURS = set(MAY_IMPORT) | {"tests", "benchmarks"}


def modules(package: str) -> Iterator[Path]:
    return (ROOT / package).rglob("*.py")


def imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{module}: relative import"
            yield node.module


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_lies_below_it(package: str) -> None:
    for module in modules(package):
        ours = {name.split(".")[0] for name in imports(module)} & OURS
        assert ours <= MAY_IMPORT[package], module


@pytest.mark.parametrize(
    "module",
    [*modules("db"), *modules("common/storage")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_database_and_storage_know_no_web_framework(module: Path) -> None:
    assert not {name.split(".")[0] for name in imports(module)} & {"flask", "werkzeug"}


@pytest.mark.parametrize("package", ["upload_service.inspect"])
def test_a_package_loads_no_framework_not_even_indirectly(package: str) -> None:
    frameworks = ("flask", "werkzeug", "jinja2", "sqlalchemy", "redis")
    program = f"import sys, {package}; print(*sorted(set({frameworks}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == []


def test_benchmarks_import_no_tests() -> None:
    for module in modules("benchmarks"):
        assert "tests" not in {name.split(".")[0] for name in imports(module)}, module


def test_system_tests_know_only_http() -> None:
    for module in (ROOT / "tests/system").rglob("*.py"):
        assert not {name.split(".")[0] for name in imports(module)} & (OURS - {"tests"}), module


@pytest.mark.parametrize("service", sorted(WEB))
def test_every_service_has_the_same_file_names(service: str) -> None:
    for name in ("app.py", "services.py", "settings.py"):
        assert (ROOT / service / name).is_file()
    assert list((ROOT / service).rglob("*routes.py"))
    assert (ROOT / service / "templates" / service.removesuffix("_service")).is_dir()


@pytest.mark.parametrize(
    "module",
    ["db.engine", "common.access", "common.errors", "common.storage", "transcode_service.worker"],
)
def test_domain_modules_load_no_web_framework(module: str) -> None:
    code = f'import {module}, sys; print(*{{*sys.modules}} & {{"flask", "jinja2", "werkzeug"}})'
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert loaded.stdout.split() == []
