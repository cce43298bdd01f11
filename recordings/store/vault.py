"""The vault: audio as files under the state directory, `vault/<yyyy>/<mm>/<recording_id>.wav`.

A file is there whole or not at all: it is written beside its place, synced, and renamed. Writing it again
is harmless.
"""

import contextlib
import os
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_KEY: Final = re.compile(r"\d{4}/\d{2}/[A-Za-z0-9][A-Za-z0-9_-]{0,127}\.wav")


class VaultKeyError(ValueError):
    """This is not the name of anything the vault could hold."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def key_of(recording_id: str, started_ms: int) -> str:
    """Where the audio belongs: by the month (UTC) in which it began."""
    if not _NAME.fullmatch(recording_id):
        raise VaultKeyError
    began = datetime.fromtimestamp(started_ms / 1000, UTC)
    return f"{began:%Y/%m}/{recording_id}.wav"


class Vault:
    """Blocking on purpose: call it in a thread."""

    def __init__(self, state_dir: Path) -> None:
        self.root = state_dir / "vault"

    def path(self, vault_key: str) -> Path:
        if not _KEY.fullmatch(vault_key):
            raise VaultKeyError
        return self.root / vault_key

    def has(self, vault_key: str) -> bool:
        return self.path(vault_key).is_file()

    def write(self, vault_key: str, content: bytes) -> int:
        """Keep these bytes; they are on the disk when this returns."""
        place = self.path(vault_key)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(place)
        finally:
            with contextlib.suppress(FileNotFoundError):
                draft.unlink()
        sync_folder(place.parent)
        return len(content)

    def delete(self, vault_key: str) -> None:
        """One that is gone already is as good."""
        self.path(vault_key).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
