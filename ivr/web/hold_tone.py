"""The sound of waiting: a soft tone of our own, so that nobody's music rights are touched.

Ten seconds that join without a click: every tone and the slow swell fit a whole number of times.
"""

from __future__ import annotations

import io
import math
import struct
import wave
from functools import cache

LENGTH_S = 10
_RATE = 8000
_TONES_HZ = (220.0, 277.2, 329.6)
_LOUDNESS = 0.12


@cache
def hold_tone() -> bytes:
    """A WAV file, 8 kHz mono, as telephones carry it."""
    frames = LENGTH_S * _RATE
    samples = (int(32767 * _LOUDNESS * _level(frame / _RATE)) for frame in range(frames))
    audio = io.BytesIO()
    with wave.open(audio, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        sound.writeframes(struct.pack(f"<{frames}h", *samples))
    return audio.getvalue()


def _level(at_s: float) -> float:
    """Three soft tones, one after the other swelling and fading; between -1 and 1."""
    level = 0.0
    for index, tone_hz in enumerate(_TONES_HZ):
        swell = math.sin(math.pi * ((at_s / LENGTH_S * 2 + index / len(_TONES_HZ)) % 1.0)) ** 2
        level += swell * math.sin(2 * math.pi * tone_hz * at_s)
    return level / len(_TONES_HZ)
