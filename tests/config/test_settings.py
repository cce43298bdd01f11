"""The environment is read once, and everything wrong with it is told at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config.clock import Clock
from config.settings import SettingsError, load_settings

SECRET = "0123456789abcdef0123456789abcdef"


def faults(environ: dict[str, str]) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    for name in caught.value.faults:
        assert f"{name}: " in str(caught.value)
    return caught.value.faults


def production(**more: str) -> dict[str, str]:
    return {
        "PUBLIC_BASE_URL": "https://hotline.example/",
        "SECRET_KEY": SECRET,
        "TWILIO_ACCOUNT_SID": "AC1",
        "TWILIO_AUTH_TOKEN": "token",
        **more,
    }


def test_production_is_the_default_and_demands_what_it_cannot_do_without(tmp_path: Path) -> None:
    assert list(faults({"STATE_DIR": str(tmp_path)})) == [
        "PUBLIC_BASE_URL",
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
        "SECRET_KEY",
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_production_environment_with_all_it_needs() -> None:
    settings = load_settings(production(HOTLINE_NUMBERS="main=+8657195598000, key_line=+8657195598001"))
    assert settings.is_production
    assert settings.public_base_url == "https://hotline.example"
    assert settings.clock == Clock.real()
    assert settings.hotline_numbers == {"main": "+8657195598000", "key_line": "+8657195598001"}
    assert (settings.redis_url, settings.queue_redis_url, settings.database_url) == (None, None, None)
    assert settings.twilio_base_url == "https://api.twilio.com"
    assert SECRET not in repr(settings)
    assert "token" not in repr(settings)


def test_every_fault_is_told_at_once_with_the_name_of_its_variable() -> None:
    wrong = {
        "SHOUWEN_ENV": "prod",
        "PUBLIC_BASE_URL": "https://user:word@hotline.example",
        "SECRET_KEY": "short",
        "REDIS_URL": "http://localhost",
        "QUEUE_REDIS_URL": "redis://",
        "DATABASE_URL": "mysql://localhost/x",
        "SITE": "../etc",
        "PORT": "http",
        "TWILIO_API_KEY_SID": "SK1",
        "TWILIO_BASE_URL": "ftp://x",
        "HOTLINE_NUMBERS": "main=95598",
        "FALLBACK_URL": "nowhere",
        "DUTY_NUMBER": "0571",
        "DEFAULT_REGION": "China",
        "SHOUWEN_CLOCK": "fast",
        "METRICS_NETWORKS": "10.0.0.1/8",
        "SOFTPHONE_URL": "//x",
        "LOG_LEVEL": "loud",
        "LOG_FORMAT": "xml",
    }
    found = faults(wrong)
    # The missing half of a pair is named where it is missing; the rest, where it is wrong.
    expected = {name for name in wrong if name != "TWILIO_API_KEY_SID"} | {"TWILIO_API_KEY_SECRET"}
    assert set(found) - {"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"} == expected


@pytest.mark.parametrize(
    ("name", "value"), [("SHOUWEN_CLOCK", "0:0:30"), ("SOFTPHONE_URL", "http://127.0.0.1:9")]
)
def test_what_only_a_demo_may_do_is_refused_in_production(name: str, value: str) -> None:
    assert list(faults(production(**{name: value}))) == [name]
    assert load_settings({"SHOUWEN_ENV": "demo", "SECRET_KEY": SECRET, name: value}).environment == "demo"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://h.example/", "https://h.example"),
        ("http://h.example:8080/base/", "http://h.example:8080/base"),
        (" https://h.example ", "https://h.example"),
        ("", "http://127.0.0.1:8300"),
    ],
)
def test_a_base_url_never_ends_in_a_slash(given: str, kept: str) -> None:
    settings = load_settings({"SHOUWEN_ENV": "test", "SECRET_KEY": SECRET, "PUBLIC_BASE_URL": given})
    assert settings.public_base_url == kept


@pytest.mark.parametrize(
    "url",
    [
        "hotline.example",
        "https://",
        "https://h/#top",
        "https://h/?x=1",
        "https://u@h",
        "https://h:port",
        "https://a b",
    ],
)
def test_a_base_url_that_could_not_be_signed_is_refused(url: str) -> None:
    assert list(faults(production(PUBLIC_BASE_URL=url))) == ["PUBLIC_BASE_URL"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql://h/d?ssl=require", "postgresql+asyncpg://h/d?ssl=require"),
        ("sqlite:////tmp/x.sqlite", "sqlite+aiosqlite:////tmp/x.sqlite"),
    ],
)
def test_a_database_url_gets_the_driver_we_use(given: str, kept: str) -> None:
    assert load_settings(production(DATABASE_URL=given)).database_url == kept


def test_a_valkey_url_is_a_redis_url() -> None:
    settings = load_settings(production(REDIS_URL="valkeys://h:6380/1", QUEUE_REDIS_URL="unix:///run/x.sock"))
    assert (settings.redis_url, settings.queue_redis_url) == ("rediss://h:6380/1", "unix:///run/x.sock")


def test_outside_production_a_secret_is_made_once_and_kept_for_every_process(tmp_path: Path) -> None:
    environ = {"SHOUWEN_ENV": "development", "STATE_DIR": str(tmp_path / "state")}
    with ThreadPoolExecutor(8) as starting:
        made = {settings.secret_key for settings in starting.map(load_settings, [environ] * 8)}
    (secret,) = made
    assert len(secret) >= 32
    file = tmp_path / "state" / "secret_key"
    assert file.read_text() == secret
    assert file.stat().st_mode & 0o077 == 0
    assert [path.name for path in file.parent.iterdir()] == ["secret_key"]


def test_production_takes_a_secret_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text(SECRET + "\n")
    settings = load_settings(production(SECRET_KEY="", STATE_DIR=str(tmp_path)))
    assert settings.secret_key == SECRET
