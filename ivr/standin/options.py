"""How one stand-in is set up, read from a JSON file; a wrong file is refused as a whole."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.clock import Clock


class OptionsError(ValueError):
    """The stand-in's file is not understood."""


@dataclass(frozen=True)
class Line:
    """One number of the account and whom it asks."""

    voice_url: str = ""
    voice_method: str = "POST"
    fallback_url: str = ""
    fallback_method: str = "POST"
    status_url: str = ""
    status_method: str = "POST"


@dataclass(frozen=True)
class Options:
    account_sid: str
    auth_token: str
    clock: Clock = field(default_factory=Clock.real)
    numbers: Mapping[str, Line] = field(default_factory=dict)
    api_keys: Mapping[str, str] = field(default_factory=dict)
    bins: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 1
    cps: float = 0.0
    public_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8400
    ended_calls_max: int = 20_000


def read_options(path: Path) -> Options:
    return options_from(json.loads(path.read_text(encoding="utf-8")))


def options_from(document: Mapping[str, Any]) -> Options:
    """Numbers and clock become values; an unknown name is an error."""
    given = dict(document)
    try:
        if "clock" in given:
            given["clock"] = Clock.parse(given["clock"])
        given["numbers"] = {number: Line(**line) for number, line in given.get("numbers", {}).items()}
        return Options(**given)
    except TypeError as fault:
        raise OptionsError(f"{OptionsError.__doc__} {fault}") from None
