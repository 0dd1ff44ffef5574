"""Every setting that code reads is in `.env.example`, and nothing else is."""

import re
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
READ = re.compile(
    r"(?:environment\.(?:text|secret|matching|choice|flag|number|size|duration|host_names)\(|"
    r"_secret\(environ, |"
    r"os\.environ(?:\.get|\.setdefault)?[\[(])\s*\"([A-Z][A-Z0-9_]+)\""
)
# Decided by the images and the Compose file, or made by the process: not for people to set.
INTERNAL = {"PROMETHEUS_MULTIPROC_DIR"}


def settings_read() -> set[str]:
    modules = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in modules)
    return set(READ.findall(code))


def settings_documented() -> set[str]:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))


def test_every_setting_is_documented() -> None:
    assert settings_read() - settings_documented() - INTERNAL == set()


def test_compose_reads_only_documented_settings() -> None:
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    names = set(re.findall(r"(?<!\$)\$\{([A-Z][A-Z0-9_]+)", compose))
    assert names - settings_documented() == set()


def test_nothing_is_documented_that_is_read_nowhere() -> None:
    places = (
        "docker-compose.yml",
        "gateway/settings.sh",
        "gateway/templates/upstreams.conf.template",
    )
    read = "".join((ROOT / place).read_text(encoding="utf-8") for place in places)
    unread = {name for name in settings_documented() - settings_read() if f"${{{name}" not in read}
    assert unread == set()
