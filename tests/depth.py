"""How deep a property is tried: as far as every run can afford, and with SHOUWEN_DEEP=1 (a nightly run) further.

What is left out of every run is only more of the same: further examples of a property, more calls of a formula.
"""

import os
from typing import Final

IS_DEEP: Final = bool(os.environ.get("SHOUWEN_DEEP"))


def times(usual: int, deep: int) -> int:
    """How many examples, days or calls."""
    return deep if IS_DEEP else usual
