"""Settings are read strictly, and a wrong one is named."""

from pathlib import Path

import pytest

from common.settings import CommonSettings, Environment, SettingsError

REQUIRED = {"DATABASE_URL": "sqlite://", "REDIS_URL": "redis://127.0.0.1"}


def test_what_is_required_has_no_default() -> None:
    with pytest.raises(SettingsError, match="REDIS_URL is required"):
        CommonSettings.read(Environment({"DATABASE_URL": "sqlite://"}))


def test_an_empty_value_counts_as_unset() -> None:
    assert CommonSettings.read(Environment(REQUIRED | {"SESSION_TTL": ""})).session_ttl == 2592000


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("s3cret\n", encoding="utf-8")
    environment = Environment({"X": "shown", "X_FILE": str(file)})
    assert environment.secret("X") == "s3cret"


def test_a_secret_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="X_FILE cannot be read"):
        Environment({"X_FILE": str(tmp_path / "none")}).secret("X")


@pytest.mark.parametrize(
    ("text", "size"), [("1", 1), ("512k", 512 << 10), ("200m", 200 << 20), ("16G", 16 << 30)]
)
def test_sizes_are_written_as_nginx_writes_them(text: str, size: int) -> None:
    assert Environment({"X": text}).size("X", "1g") == size


@pytest.mark.parametrize("text", ["0", "-1", "1.5g", "16 GiB", "g", "1e9", "99999999999999999g"])
def test_a_size_that_could_be_misread_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="X is"):
        Environment({"X": text}).size("X", "1g")


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("2d", 172800)])
def test_durations_carry_their_unit(text: str, seconds: int) -> None:
    assert Environment({"X": text}).duration("X", "1h") == seconds


@pytest.mark.parametrize("text", ["90", "0s", "1w", "1h30m", "-1h"])
def test_a_duration_that_could_be_misread_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="X is"):
        Environment({"X": text}).duration("X", "1h")


@pytest.mark.parametrize("text", ["yes", "1", "True"])
def test_a_flag_is_true_or_false(text: str) -> None:
    with pytest.raises(SettingsError, match="true or false"):
        Environment({"X": text}).flag("X", default=False)


def test_a_choice_that_may_be_left_out_names_the_words_alone() -> None:
    with pytest.raises(SettingsError, match=r"^X is 'c'; it takes a or b\.$"):
        Environment({"X": "c"}).choice("X", ("", "a", "b"), "")


@pytest.mark.parametrize("text", ["0", "65536", "x", "1.0"])
def test_a_number_keeps_its_bounds(text: str) -> None:
    with pytest.raises(SettingsError, match="from 1 to 65535"):
        Environment({"X": text}).number("X", 80, min_value=1, max_value=65535)


@pytest.mark.parametrize(
    "url",
    [
        "nothing",
        "mysql+pymysql://user:secret@host:port/name",
        "mysql://user:secret@host/name",
        "postgresql://user:secret@host/name",
        "unknown://secret",
    ],
)
def test_a_database_that_is_not_understood_is_named_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^DATABASE_URL .* mysql\+pymysql:") as caught:
        CommonSettings.read(Environment(REQUIRED | {"DATABASE_URL": url}))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "nothing",
        "http://secret@host",
        "redis://:secret@host:port/0",
        "redis+sentinel://:secret@a:1",
    ],
)
def test_a_redis_that_is_not_understood_is_named_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^REDIS_URL .* redis://") as caught:
        CommonSettings.read(Environment(REQUIRED | {"REDIS_URL": url}))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "urls",
    [
        {"DATABASE_URL": "mysql+pymysql://user@[::1]:3306/name?charset=utf8mb4"},
        {"DATABASE_URL": "sqlite:////data/matinee.db"},
        {"REDIS_URL": "unix:///run/redis.sock"},
        {"REDIS_URL": "rediss://user:password@host:6380/1"},
        {"REDIS_URL": "redis+sentinel://user:password@a:1,b:2/name/0"},
    ],
    ids=str,
)
def test_urls_of_stores_are_kept_as_they_are(urls: dict[str, str]) -> None:
    settings = CommonSettings.read(Environment(REQUIRED | urls))
    assert {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url} == (
        REQUIRED | urls
    )
