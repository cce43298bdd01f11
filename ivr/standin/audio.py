"""Sound made cheaply: quiet tones, a different one for each party, as real wav files; wav headers read."""

import io
import math
import struct
import wave
from array import array
from functools import cache

RATE = 8000
LOUDNESS = 1500
TURN_S = 2
CALLER_HZ, AGENT_HZ = 330, 523


@cache
def _tone(hertz: int) -> "array[int]":
    """One second of a tone; whole periods fit, so that seconds join without a click."""
    return array("h", (round(LOUDNESS * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(RATE)))


@cache
def _second(channels: int, speaker: int) -> bytes:
    """One second in which one of two parties speaks; in mono both are heard on the one channel."""
    tone = _tone(AGENT_HZ if speaker else CALLER_HZ)
    if channels == 1:
        return tone.tobytes()
    frames = array("h", bytes(4 * RATE))
    frames[speaker::2] = tone
    return frames.tobytes()


def conversation(channels: int, seconds: int) -> bytes:
    """A wav in which two parties take turns; on two channels each keeps to his own."""
    content = io.BytesIO()
    with wave.open(content, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(b"".join(_second(channels, n // TURN_S % 2) for n in range(max(1, seconds))))
    return content.getvalue()


def lasts_ms(content_type: str, content: bytes, otherwise_ms: int) -> int:
    """How long a sound is: by a wav's header, by an mp3's usual rate, or a guess."""
    if content[:4] == b"RIFF" and len(content) >= 44:
        (rate,) = struct.unpack_from("<I", content, 28)
        return round((len(content) - 44) * 1000 / rate) if rate else otherwise_ms
    if content_type == "audio/mpeg":
        return len(content) * 8 // 128
    return otherwise_ms
