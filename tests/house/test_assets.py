"""What the pages take from others: as the lock file says, named in NOTICE, in the wheel, from no foreign server."""

import json
import re
import tomllib

from config.web.assets import HERE, TAKEN, VENDOR
from tests.house.places import ROOT, STOREYS


def test_the_libraries_of_the_pages_are_locked_shipped_and_named_with_their_licence() -> None:
    asked = json.loads((HERE / "package.json").read_text("utf-8"))["dependencies"]
    locked = json.loads((HERE / "package-lock.json").read_text("utf-8"))["packages"]
    assert locked[""]["dependencies"] == asked
    notice = (ROOT / "NOTICE").read_text("utf-8")
    for name, version in asked.items():
        found = locked[f"node_modules/{name}"]
        assert (found["version"], found["integrity"][:7]) == (version, "sha512-")
        assert re.search(rf"{name}.*{found['license']} licence", notice, re.IGNORECASE)
        assert f"{name}/LICENSE" in TAKEN
    vendor = str(VENDOR.relative_to(ROOT))
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    assert f"{vendor}/*" in build["artifacts"]
    assert f"{vendor}/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_no_page_asks_a_foreign_server_for_anything() -> None:
    foreign = re.compile(r"""(?:src|href)=["'](?:https?:)?//|@import|url\(["']?(?:https?:)?//""")
    pages = [
        page for storey in STOREYS for folder in ("templates", "static")
        for page in (ROOT / storey).rglob(f"web/{folder}/*.*") if page.suffix in (".html", ".css", ".js")
    ]  # fmt: skip
    assert len(pages) > 40
    assert [str(page) for page in pages if foreign.search(page.read_text("utf-8"))] == []
