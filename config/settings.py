"""One frozen Settings, read from the environment once.

Every fault is found before anything is opened, and all of them are told at once, each with the name of the
variable that has it. A variable that is set but empty counts as not set.
"""

import contextlib
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal, TypeVar, get_args
from urllib.parse import SplitResult, urlsplit, urlunsplit

from config.clock import Clock, ClockTextError

Environment = Literal["production", "development", "demo", "test"]
LogFormat = Literal["auto", "json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]
Word = TypeVar("Word", bound=str)
Network = IPv4Network | IPv6Network

SECRET_LENGTH_MIN = 32
_SITES = Path(__file__).parent / "sites"
_REDIS_SCHEMES = {
    "redis": "redis",
    "rediss": "rediss",
    "unix": "unix",
    "valkey": "redis",
    "valkeys": "rediss",
}
_DATABASE_DRIVERS = {
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}


class SettingsError(Exception):
    """The environment cannot be used as it is."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        self.faults = dict(faults)
        lines = [f"  {name}: {why}" for name, why in self.faults.items()]
        super().__init__("\n".join([str(self.__doc__), *lines]))


@dataclass(frozen=True, kw_only=True)
class Settings:
    environment: Environment
    public_base_url: str  # what the provider signs; never ends in a slash
    secret_key: str
    state_dir: Path
    redis_url: str | None  # none: the embedded store of state_dir
    queue_redis_url: str | None  # none: the same server as redis_url
    database_url: str | None  # none: a SQLite file in state_dir
    site: str
    sites_dir: Path
    host: str
    port: int
    twilio_account_sid: str
    twilio_auth_token: str
    twilio_api_key_sid: str
    twilio_api_key_secret: str
    twilio_base_url: str
    hotline_numbers: Mapping[str, str]  # line -> E.164
    fallback_url: str | None
    duty_number: str | None
    texts_from: str  # E.164; empty: no text messages
    default_region: str
    clock: Clock
    metrics_networks: tuple[Network, ...]  # who may read /metrics without a token; none by default
    softphone_url: str | None
    log_level: LogLevel
    log_format: LogFormat

    def __repr__(self) -> str:
        # A settings object ends up in tracebacks; half of it is secrets.
        return f"Settings({self.environment}, site={self.site}, state_dir={self.state_dir})"

    @property
    def is_production(self) -> bool:
        return self.environment == "production"


def load_settings(environ: Mapping[str, str] | None = None, *, makes_secret: bool = False) -> Settings:
    """Read every variable; raises SettingsError naming all that are wrong.

    In production the secret key must exist, except for who is to make it (`makes_secret`).
    """
    reader = _Reader(os.environ if environ is None else environ)
    environment = reader.choice("SHOUWEN_ENV", "production", get_args(Environment))
    is_production = environment == "production"
    state_dir = Path(reader.text("STATE_DIR", "./var")).expanduser().absolute()
    host = reader.text("HOST", "127.0.0.1")
    port = reader.whole("PORT", 8300, 0, 65535)
    if is_production:
        reader.demand("PUBLIC_BASE_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")
        reader.refuse("SHOUWEN_CLOCK", "the clock cannot be moved in production")
        reader.refuse("SOFTPHONE_URL", "the stand-in's phones are not for production")
    reader.pair("TWILIO_API_KEY_SID", "TWILIO_API_KEY_SECRET")
    own_url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    values = Settings(
        environment=environment,
        public_base_url=reader.url("PUBLIC_BASE_URL") or own_url,
        state_dir=state_dir,
        redis_url=reader.redis("REDIS_URL"),
        queue_redis_url=reader.redis("QUEUE_REDIS_URL"),
        database_url=reader.database("DATABASE_URL"),
        site=reader.slug("SITE", "power"),
        sites_dir=Path(reader.text("SITES_DIR", str(_SITES))).expanduser().absolute(),
        host=host,
        port=port,
        twilio_account_sid=reader.text("TWILIO_ACCOUNT_SID"),
        twilio_auth_token=reader.text("TWILIO_AUTH_TOKEN"),
        twilio_api_key_sid=reader.text("TWILIO_API_KEY_SID"),
        twilio_api_key_secret=reader.text("TWILIO_API_KEY_SECRET"),
        twilio_base_url=reader.url("TWILIO_BASE_URL") or "https://api.twilio.com",
        hotline_numbers=reader.numbers("HOTLINE_NUMBERS"),
        fallback_url=reader.url("FALLBACK_URL"),
        duty_number=reader.number("DUTY_NUMBER"),
        texts_from=reader.number("TEXTS_FROM") or "",
        default_region=reader.region("DEFAULT_REGION", "CN"),
        clock=reader.clock("SHOUWEN_CLOCK"),
        metrics_networks=reader.networks("METRICS_NETWORKS"),
        softphone_url=reader.url("SOFTPHONE_URL"),
        log_level=reader.choice("LOG_LEVEL", "info", get_args(LogLevel)),
        log_format=reader.choice("LOG_FORMAT", "auto", get_args(LogFormat)),
        # Last, because nothing is written to disk for an installation that has faults.
        secret_key=reader.secret(
            "SECRET_KEY", state_dir / "secret_key", may_create=makes_secret or not is_production
        ),
    )
    if reader.faults:
        raise SettingsError(reader.faults)
    return values


class _Reader:
    """Casts one variable at a time and notes what is wrong instead of stopping at it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.faults: dict[str, str] = {}

    def fault(self, name: str, why: str) -> None:
        self.faults.setdefault(name, why)

    def text(self, name: str, default: str = "") -> str:
        return self.environ.get(name, "").strip() or default

    def demand(self, *names: str) -> None:
        for name in names:
            if not self.text(name):
                self.fault(name, "must be set in production")

    def refuse(self, name: str, why: str) -> None:
        if self.text(name):
            self.fault(name, why)

    def pair(self, first: str, second: str) -> None:
        for name, other in ((first, second), (second, first)):
            if self.text(other) and not self.text(name):
                self.fault(name, f"must be set together with {other}")

    def choice(self, name: str, default: Word, allowed: tuple[Word, ...]) -> Word:
        text = self.text(name, default).lower()
        for word in allowed:
            if word == text:
                return word
        self.fault(name, f"is one of {', '.join(allowed)}")
        return default

    def whole(self, name: str, default: int, lowest: int, highest: int) -> int:
        text = self.text(name, str(default))
        if re.fullmatch(r"\d{1,9}", text) and lowest <= int(text) <= highest:
            return int(text)
        self.fault(name, f"is a whole number from {lowest} to {highest}")
        return default

    def slug(self, name: str, default: str) -> str:
        text = self.text(name, default)
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", text):
            self.fault(name, "is a short name of small letters, digits and _")
        return text

    def region(self, name: str, default: str) -> str:
        text = self.text(name, default).upper()
        if not re.fullmatch(r"[A-Z]{2}", text):
            self.fault(name, "is a country's two letters, for example CN")
        return text

    def url(self, name: str) -> str | None:
        text = self.text(name).rstrip("/")
        if not text:
            return None
        parts = _split(text)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            self.fault(name, "is an absolute http or https URL")
        elif parts.username is not None or parts.password is not None or parts.fragment or "#" in text:
            self.fault(name, "has no user, password or #fragment")
        elif name == "PUBLIC_BASE_URL" and "?" in text:
            self.fault(name, "has no query")
        return text

    def redis(self, name: str) -> str | None:
        text = self.text(name)
        if not text:
            return None
        parts = _split(text)
        scheme = _REDIS_SCHEMES.get(parts.scheme) if parts else None
        if parts is None or scheme is None or not (parts.path if scheme == "unix" else parts.hostname):
            self.fault(name, "is a redis://, rediss:// or unix:// URL")
            return None
        return text.replace(parts.scheme, scheme, 1)

    def database(self, name: str) -> str | None:
        text = self.text(name)
        if not text:
            return None
        scheme, _, rest = text.partition("://")
        driver = _DATABASE_DRIVERS.get(scheme)
        if driver is None or not rest:
            self.fault(name, "is a postgresql:// or sqlite:// URL")
            return None
        return f"{driver}://{rest}"

    def number(self, name: str) -> str | None:
        text = self.text(name)
        if text and not _is_e164(text):
            self.fault(name, "is a number in international form, for example +8657112345678")
        return text or None

    def numbers(self, name: str) -> dict[str, str]:
        lines: dict[str, str] = {}
        for item in filter(None, (part.strip() for part in self.text(name).split(","))):
            line, _, number = (part.strip() for part in item.partition("="))
            if not line or not _is_e164(number):
                self.fault(name, "is written line=+number,line=+number")
            elif line in lines or number in lines.values():
                self.fault(name, "names each line and each number once")
            lines[line] = number
        return lines

    def networks(self, name: str) -> tuple[Network, ...]:
        found: list[Network] = []
        for item in filter(None, (part.strip() for part in self.text(name).split(","))):
            try:
                found.append(ip_network(item))
            except ValueError:
                self.fault(name, "is written network,network, each as 10.0.0.0/8 or ::1/128")
        return tuple(found)

    def clock(self, name: str) -> Clock:
        text = self.text(name)
        try:
            return Clock.parse(text) if text else Clock.real()
        except ClockTextError:
            self.fault(name, "is written origin_ms:anchor_ms:speed, with a speed above zero")
            return Clock.real()

    def secret(self, name: str, path: Path, *, may_create: bool) -> str:
        text = self.text(name) or _read_secret(path)
        if not text and may_create and not self.faults:
            text = _create_secret(path)
        if len(text) < SECRET_LENGTH_MIN and (text or not may_create):
            self.fault(name, f"has at least {SECRET_LENGTH_MIN} characters, here or in the file {path}")
        return text


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        _ = parts.port  # refused here, not at the first request
    except ValueError:
        return None
    return parts if urlunsplit(parts) and not re.search(r"\s", text) else None


def _is_e164(text: str) -> bool:
    return re.fullmatch(r"\+[1-9]\d{3,14}", text) is not None


def _read_secret(path: Path) -> str:
    return path.read_text("utf-8").strip() if path.is_file() else ""


def _create_secret(path: Path) -> str:
    """Several processes start at once: whoever links the file first decides for all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".secret_key-") as draft:
        draft.write(secrets.token_urlsafe(SECRET_LENGTH_MIN))
        draft.flush()
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft.name)
    return _read_secret(path)
