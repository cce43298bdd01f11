"""A site's words with the place of each, and no way to say one thing twice."""

from pathlib import Path

import pytest

from config.site_files import SiteFiles, SiteFilesError, read

MENU = """\
# What the caller hears.
nodes:
  root:
    prompt: 您好，这里是供电服务热线
    keys:
      1: outage
      "#": {to: root, after: 10:30}
  outage: [say,
    enqueue]
start: 2026-11-23
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    directory = tmp_path / "power"
    directory.mkdir()
    (directory / "menu.yaml").write_text(MENU, "utf-8")
    (directory / "queues.yaml").write_text("faults: {needs: [power]}\n", "utf-8")
    (directory / "notes.txt").write_text("not ours", "utf-8")
    return directory


def fault(directory: Path, text: str) -> str:
    (directory / "menu.yaml").write_text(text, "utf-8")
    with pytest.raises(SiteFilesError) as caught:
        read(directory)
    return str(caught.value)


def test_documents_are_plain_and_every_key_is_a_text(site: Path) -> None:
    files = read(site)
    assert files.name == "power"
    assert sorted(files.documents) == ["menu", "queues"]
    root = files.documents["menu"]["nodes"]["root"]
    assert root == {
        "prompt": "您好，这里是供电服务热线",
        "keys": {"1": "outage", "#": {"to": "root", "after": "10:30"}},
    }
    assert {type(root), type(root["keys"]), type(root["prompt"])} == {dict, str}
    assert type(files.documents["menu"]["nodes"]["outage"]) is list


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("menu.nodes.root", "menu.yaml:3"),
        ("menu.nodes.root.keys.1", "menu.yaml:6"),
        (("menu", "nodes", "root", "keys", "#", "after"), "menu.yaml:7"),
        (("menu", "nodes", "outage", 1), "menu.yaml:9"),
        ("menu.nodes.root.keys.9", "menu.yaml:5"),
        ("menu.start.day", "menu.yaml:10"),
        ("menu", "menu.yaml:2"),
        ("calendars.always", "power"),
    ],
)
def test_everything_has_a_place(site: Path, path: str, where: str) -> None:
    assert read(site).where(path) == where


def test_the_version_is_the_content_and_nothing_else(site: Path, tmp_path: Path) -> None:
    def copy(name: str, menu: str) -> SiteFiles:
        directory = tmp_path / name / "power"
        directory.mkdir(parents=True)
        (directory / "queues.yaml").write_text((site / "queues.yaml").read_text("utf-8"), "utf-8")
        (directory / "menu.yaml").write_text(menu, "utf-8")
        return read(directory)

    version = read(site).version
    assert len(version) == 12
    assert copy("same", MENU).version == version
    assert copy("other", MENU.replace("outage", "outages")).version != version


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("a: 1\nb: 2\na: 3\n", "menu.yaml:3: ", "duplicate key"),
        ("a: [1,\n", "menu.yaml:1: ", "a bracket that opens above is never closed"),
        ("- a\n", "menu.yaml:1: ", "begins with names"),
        ("", "menu.yaml:1: ", "this file is empty"),
        ("a: 1\nb: !!python/object/apply:os.getcwd []\n", "menu.yaml:2: ", "tags are not understood"),
        ("a: !secret x\n", "menu.yaml:1: ", "tags are not understood"),
    ],
)
def test_a_fault_is_told_with_file_and_line(site: Path, text: str, where: str, why: str) -> None:
    told = fault(site, text)
    assert told.startswith(where)
    assert why in told


def test_a_file_that_is_not_text_and_a_site_that_is_not_there(site: Path) -> None:
    (site / "menu.yaml").write_bytes(b"a: \xff\n")
    with pytest.raises(SiteFilesError, match=r"menu\.yaml: is not UTF-8"):
        read(site)
    with pytest.raises(SiteFilesError, match=r"there are no \.yaml files here"):
        read(site / "elsewhere")
