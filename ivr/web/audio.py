"""Recorded prompts, served under the hash of their content: what an address gives never changes.

A prompt whose file is gone, or is no longer the one that the version means, is spoken instead: that is
decided when the document is written, by a look at the folder, so that no caller ever waits for a sound that
cannot be had.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from config.runtime import Runtime
from config.site_files import AUDIO, read_audio
from ivr.domain.verbs import Address
from queues.service.plans import sound

KINDS: Final = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_NAME = re.compile(r"([0-9a-f]{64})\.(wav|mp3)")
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}

_Stamp = tuple[int, int]


class Sounds:
    """Which recorded prompts are in the folder now; a file that has not changed is not read again."""

    def __init__(self) -> None:
        self._seen: dict[tuple[Path, str], tuple[_Stamp, bool]] = {}

    def has(self, runtime: Runtime, address: Address) -> bool:
        found = _NAME.fullmatch(dict(address.path).get("name", ""))
        if address.name != "voice_audio" or found is None:
            return address.name != "voice_audio"
        directory = runtime.settings.sites_dir / runtime.settings.site
        names = (name for name, digest in runtime.site_files.audio.items() if digest == found[1])
        return any(self._is_there(directory, name, found[1]) for name in names)

    def _is_there(self, directory: Path, name: str, digest: str) -> bool:
        try:
            status = (directory / AUDIO / name).stat()
        except OSError:
            return False
        stamp = (status.st_mtime_ns, status.st_size)
        known = self._seen.get((directory / name, digest))
        if known is None or known[0] != stamp:
            known = (stamp, read_audio(directory, name, digest) is not None)
            self._seen[directory / name, digest] = known
        return known[1]


async def audio(request: Request) -> Response:
    """A recorded prompt of any version, for whoever knows its hash: the provider fetches without a signature."""
    found = _NAME.fullmatch(str(request.path_params["name"]))
    data = await sound(request.app.state.runtime, found[1]) if found else None
    if found is None or data is None:
        return Response(status_code=404)
    return Response(data, media_type=KINDS[found[2]], headers=_FOR_EVER)
