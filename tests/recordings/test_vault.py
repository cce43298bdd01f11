"""The vault: whole or not at all, and no name leads out of it."""

import os
import stat
from pathlib import Path

import pytest

from recordings.store.vault import Vault, VaultKeyError, key_of
from tests.doubles import MONDAY_0900_MS


def test_a_key_is_made_of_the_month_and_the_id() -> None:
    assert key_of("RE0a", MONDAY_0900_MS) == "2026/11/RE0a.wav"


@pytest.mark.parametrize("name", ["", "../RE1", "a/b", ".hidden", "x" * 200, "RE1\n", "RE 1"])
def test_a_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(VaultKeyError):
        key_of(name, MONDAY_0900_MS)


@pytest.mark.parametrize(
    "key", ["../../secret", "2026/11/../../../x.wav", "/etc/passwd", "2026/11/RE1.mp3", ""]
)
def test_a_key_that_is_not_ours_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(VaultKeyError):
        Vault(tmp_path).path(key)


def test_what_is_written_is_there_for_its_owner_alone(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    assert vault.write("2026/11/RE1.wav", b"sound") == 5
    path = vault.path("2026/11/RE1.wav")
    assert path.read_bytes() == b"sound"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_writing_again_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.write("2026/11/RE1.wav", b"first")
    vault.write("2026/11/RE1.wav", b"second")
    assert [path.name for path in vault.path("2026/11/RE1.wav").parent.iterdir()] == ["RE1.wav"]
    assert vault.path("2026/11/RE1.wav").read_bytes() == b"second"


def test_a_writer_that_dies_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault(tmp_path)
    vault.write("2026/11/RE1.wav", b"first")

    def die(_descriptor: int) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", die)
        with pytest.raises(OSError, match="no space left"):
            vault.write("2026/11/RE1.wav", b"second")
    assert [path.read_bytes() for path in vault.path("2026/11/RE1.wav").parent.iterdir()] == [b"first"]


def test_deleting_twice_is_as_good(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.write("2026/11/RE1.wav", b"sound")
    vault.delete("2026/11/RE1.wav")
    vault.delete("2026/11/RE1.wav")
    assert vault.has("2026/11/RE1.wav") is False
