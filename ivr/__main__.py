"""`python -m ivr` is `shouwen`."""

import sys

from ivr.cli import main

sys.exit(main())
