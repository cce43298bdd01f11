"""A site's words: the YAML files of one directory, with the file and line of everything in them.

The files are data only: no tags, no key twice, and every key is a text (``1:`` in a menu is the key "1"). The
version is made of their content, so the same words have the same version wherever they are read. Recorded
prompts (the folder ``audio/``) belong to it by the hash of their bytes.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.tokens import TagToken

from config import yaml_faults

_VERSION_LENGTH = 12
_SHELF_MAX = 16
# Of a new version one file differs, as a rule; the others need not be parsed again.
_PARSED_MAX = 64
AUDIO = "audio/"
AUDIO_KINDS = (".wav", ".mp3")

PathPart = str | int
Given = TypeVar("Given")
Found = TypeVar("Found")


class SiteFilesError(Exception):
    """The words of a site cannot be read. `faults` are the places and what is wrong there, one for each file."""

    def __init__(self, where: str, why: str, *others: tuple[str, str]) -> None:
        self.where = where
        self.faults = ((where, why), *others)
        super().__init__("\n".join(f"{where}: {why}" for where, why in self.faults))


@dataclass(frozen=True)
class SiteFiles:
    """documents["menu"] is the content of menu.yaml as plain dictionaries, lists, texts and numbers."""

    name: str
    version: str
    documents: Mapping[str, dict[str, Any]]
    content: Mapping[str, str] = field(repr=False)  # file name -> text, as it was read
    audio: Mapping[str, str]  # file name in audio/ -> SHA-256 of its bytes
    _marked: Mapping[str, CommentedMap] = field(repr=False, compare=False)

    @property
    def everything(self) -> dict[str, str]:
        """What `of_content` makes these words of again: the texts, and the hashes of the recorded prompts."""
        return {**self.content, **{AUDIO + name: digest for name, digest in self.audio.items()}}

    def where(self, path: Sequence[PathPart] | str) -> str:
        """``menu.yaml:12`` for ("menu", "nodes", "root") or "menu.nodes.root", as deep as it goes."""
        parts = path.split(".") if isinstance(path, str) else list(path)
        document = str(parts[0]) if parts else ""
        if document not in self._marked:
            return self.name
        return f"{document}.yaml:{_line(self._marked[document], parts[1:])}"


class Shelf:
    """The versions that this process has read, for the calls that began with them; the oldest unused go.

    Which it could not have it remembers as well, until a real instant on the event loop's clock.
    """

    def __init__(self) -> None:
        self._versions: OrderedDict[str, SiteFiles] = OrderedDict()
        self._absent: dict[str, float] = {}

    def note_absent(self, version: str, *, now_s: float, until_s: float) -> None:
        self._absent = {name: until for name, until in self._absent.items() if until > now_s}
        self._absent[version] = until_s

    def is_absent(self, version: str, *, now_s: float) -> bool:
        return self._absent.get(version, now_s) > now_s

    def put(self, files: SiteFiles) -> None:
        self._versions[files.version] = files
        self._versions.move_to_end(files.version)
        while len(self._versions) > _SHELF_MAX:
            self._versions.popitem(last=False)

    def get(self, version: str) -> SiteFiles | None:
        if version in self._versions:
            self._versions.move_to_end(version)
        return self._versions.get(version)


def read(directory: Path) -> SiteFiles:
    """Read every ``*.yaml`` of a directory; raises SiteFilesError with file and line."""
    files = sorted(directory.glob("*.yaml")) if directory.is_dir() else []
    if not files:
        raise SiteFilesError(str(directory), "there are no .yaml files here")
    texts = _each({file.name: file for file in files}, lambda _, file: _text(file))
    return of_content(directory.name, {**texts, **_audio(directory / AUDIO)})


def of_content(name: str, everything: Mapping[str, str]) -> SiteFiles:
    """The words that `SiteFiles.everything` was taken from, with the same version."""
    content = {file: text for file, text in everything.items() if not file.startswith(AUDIO)}
    marked = {Path(file).stem: document for file, document in _each(content, _parse).items()}
    audio = {file.removeprefix(AUDIO): text for file, text in everything.items() if file.startswith(AUDIO)}
    return SiteFiles(
        name=name,
        version=_version(everything),
        documents=MappingProxyType({file: _plain(document) for file, document in marked.items()}),
        content=MappingProxyType(content),
        audio=MappingProxyType(audio),
        _marked=marked,
    )


def read_audio(directory: Path, name: str, digest: str) -> bytes | None:
    """The bytes of a recorded prompt, if the folder still has those that the version means."""
    file = directory / AUDIO / name
    try:
        data = file.read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == digest else None


def _audio(directory: Path) -> dict[str, str]:
    files = sorted(directory.iterdir()) if directory.is_dir() else []
    return {
        AUDIO + file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.suffix.lower() in AUDIO_KINDS and file.is_file()
    }


def _each(files: Mapping[str, Given], read_one: Callable[[str, Given], Found]) -> dict[str, Found]:
    """Every file read; those that cannot be are told together."""
    found: dict[str, Found] = {}
    faults: list[tuple[str, str]] = []
    for name, given in files.items():
        try:
            found[name] = read_one(name, given)
        except SiteFilesError as fault:
            faults += fault.faults
    if faults:
        raise SiteFilesError(*faults[0], *faults[1:])
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise SiteFilesError(file.name, "is not UTF-8; save it again with the encoding UTF-8") from None


@lru_cache(_PARSED_MAX)
def _parse(name: str, text: str) -> CommentedMap:
    """One file, for reading only: versions that have it in common share it."""
    yaml = YAML(typ="rt", pure=True)
    yaml.allow_duplicate_keys = False
    try:
        for token in yaml.scan(text):
            if isinstance(token, TagToken):
                raise SiteFilesError(f"{name}:{token.start_mark.line + 1}", "tags are not understood here")
        document = yaml.load(text)
    except MarkedYAMLError as fault:
        line, why = yaml_faults.in_words(fault, text)
        raise SiteFilesError(f"{name}:{line}", why) from None
    except YAMLError as fault:
        raise SiteFilesError(name, str(fault)) from None
    except ValueError as fault:  # a word that looks like a date and is none
        line, day = yaml_faults.no_such_day(text) or (1, str(fault))
        raise SiteFilesError(f"{name}:{line}", f"there is no such day: {day}") from None
    if document is None:
        raise SiteFilesError(f"{name}:1", "this file is empty")
    if not isinstance(document, CommentedMap):
        raise SiteFilesError(f"{name}:1", "begins with names, not with a list or a text")
    for wide in yaml_faults.wide_names(document):
        line = next((number for number, each in enumerate(text.splitlines(), 1) if wide in each), 1)
        raise SiteFilesError(f"{name}:{line}", yaml_faults.wide_name_in_words(wide))
    return document


def _version(everything: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for name, text in sorted(everything.items(), key=lambda item: (item[0].startswith(AUDIO), item[0])):
        for part in (name, text):
            data = part.encode()
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:_VERSION_LENGTH]


def _plain(value: Any) -> Any:
    """Without the reader's own types, so that nothing downstream depends on them."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def _line(node: Any, parts: Sequence[PathPart]) -> int:
    """The line of the deepest part that exists."""
    line = _start(node)
    for part in parts:
        key = _key(node, part)
        if key is None:
            break
        line = node.lc.data[key][0] + 1 if node.lc.data and key in node.lc.data else line
        node = node[key]
    return line


def _start(node: Any) -> int:
    return int(node.lc.line) + 1


def _key(node: Any, part: PathPart) -> PathPart | None:
    if isinstance(node, CommentedMap):
        return next((key for key in node if str(key) == str(part)), None)
    if isinstance(node, CommentedSeq) and str(part).isdigit() and int(part) < len(node):
        return int(part)
    return None
