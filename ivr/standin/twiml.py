"""Reading documents: parse strictly, and say with the provider's numbers what is wrong.

A vocabulary (the verbs' own specifications) says which elements, attributes and values exist and what may
stand inside what. Reading yields elements and faults; whether a schema fault spoils the document or only
the part that is wrong is a switch of the exchange, because the provider's sources are not clear about it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlsplit
from xml.etree import ElementTree

DOCUMENT_BYTES_MAX = 64 * 1024
INLINE_CHARS_MAX = 4000

Check = Callable[[str], bool]


@dataclass(frozen=True)
class Fault:
    code: int
    message: str
    is_schema: bool = False


@dataclass(frozen=True)
class Attribute:
    is_valid: Check
    code: int = 12200


@dataclass(frozen=True)
class Element:
    name: str
    attributes: Mapping[str, str]
    text: str
    children: tuple["Element", ...] = ()

    def word(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, default)

    def number(self, name: str, default: int) -> int:
        return int(self.attributes.get(name, default))

    def flag(self, name: str, default: bool) -> bool:
        value = self.attributes.get(name)
        return default if value is None else value.lower() == "true"

    def words(self, name: str, default: str = "") -> frozenset[str]:
        return frozenset(self.attributes.get(name, default).split())


@dataclass(frozen=True)
class Spec:
    """What one element may carry. ``inspect`` adds what no table can say."""

    name: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    children: tuple["Spec", ...] = ()
    nesting_code: int = 12200
    any_children: bool = False
    inspect: Callable[[Element], list[Fault]] | None = None
    needs_action_inline: bool = False


@dataclass(frozen=True)
class Document:
    """A document being carried out; relative addresses are relative to ``url``, which inline text has not."""

    url: str | None
    method: str
    verbs: tuple[Element, ...]


class DocumentError(Exception):
    """A document that cannot be carried out."""

    def __init__(self, code: int, message: str, url: str = "", method: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.url = url
        self.method = method


def anything(_: str) -> bool:
    return True


def boolean(text: str) -> bool:
    return text in {"true", "false"}


def whole(least: int, most: int) -> Check:
    return lambda text: text.isascii() and text.isdigit() and least <= int(text) <= most


def one_of(*words: str) -> Check:
    return frozenset(words).__contains__


def all_of(*words: str) -> Check:
    known = frozenset(words)
    return lambda text: bool(text.split()) and frozenset(text.split()) <= known


def address(text: str) -> bool:
    """An absolute or relative URL that can be asked for."""
    parts = urlsplit(text)
    if parts.scheme:
        return parts.scheme in {"http", "https"} and "_" not in (parts.hostname or "_")
    return not any(character.isspace() for character in text)


def absolute(text: str) -> bool:
    return bool(urlsplit(text).scheme) and address(text)


METHOD = one_of("GET", "POST")


def read(
    body: bytes | str, vocabulary: Mapping[str, Spec], *, is_inline: bool
) -> tuple[tuple[Element, ...], list[Fault]]:
    """The verbs of a document and every fault found; raises when there is no document at all."""
    root = _root(body)
    faults: list[Fault] = []
    verbs = tuple(_elements(root, vocabulary, "Response", 12200, faults, is_inline))
    if root.attrib:
        faults.append(Fault(12200, f"Response takes no attribute {min(root.attrib)}", is_schema=True))
    return verbs, faults


def _root(body: bytes | str) -> ElementTree.Element:
    content = body.encode() if isinstance(body, str) else body
    if len(content) > DOCUMENT_BYTES_MAX:
        raise DocumentError(11750, "Response body too large")
    if not content.strip():
        raise DocumentError(11770, "Empty response body")
    if content.startswith(b"\xef\xbb\xbf"):
        raise DocumentError(12100, "Document parse failure: something stands before the XML declaration")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314  the customer's own document, at most 64 KB
    except ElementTree.ParseError as fault:
        raise DocumentError(12100, f"Document parse failure: {fault}") from None
    if root.tag != "Response":
        raise DocumentError(12102, f"The root of the document is {root.tag}, not Response")
    return root


def _elements(
    parent: ElementTree.Element,
    known: Mapping[str, Spec],
    within: str,
    code: int,
    faults: list[Fault],
    is_inline: bool,
) -> list[Element]:
    elements = []
    for child in parent:
        spec = known.get(child.tag)
        if spec is None:
            faults.append(Fault(code, f"{child.tag} may not stand in {within}", is_schema=True))
            continue
        elements.append(_element(child, spec, faults, is_inline))
    return elements


def _element(node: ElementTree.Element, spec: Spec, faults: list[Fault], is_inline: bool) -> Element:
    attributes = {}
    for name, value in node.attrib.items():
        attribute = spec.attributes.get(name)
        if attribute is None:
            faults.append(Fault(12200, f"{spec.name} takes no attribute {name}", is_schema=True))
        elif not attribute.is_valid(value):
            faults.append(Fault(attribute.code, f"{spec.name}: invalid {name} value"))
        else:
            attributes[name] = value
    known = {child.name: child for child in spec.children}
    if spec.any_children:
        element = Element(spec.name, attributes, " ".join("".join(node.itertext()).split()))
    else:
        children = tuple(_elements(node, known, spec.name, spec.nesting_code, faults, is_inline))
        element = Element(spec.name, attributes, _text(node), children)
    if spec.inspect is not None:
        faults.extend(spec.inspect(element))
    if is_inline:
        faults.extend(_inline_faults(element, spec))
    return element


def _text(node: ElementTree.Element) -> str:
    return "".join([node.text or "", *(child.tail or "" for child in node)]).strip()


def _inline_faults(element: Element, spec: Spec) -> list[Fault]:
    """Text given inline has no address: what would be relative to it must be absolute."""
    faults = [
        Fault(11100, f"{spec.name}: {name} must be absolute in a document without an address")
        for name, value in element.attributes.items()
        if spec.attributes[name].is_valid is address and value and not absolute(value)
    ]
    if spec.needs_action_inline and "action" not in element.attributes:
        faults.append(Fault(11100, f"{spec.name} needs an action in a document without an address"))
    if spec.name in {"Redirect", "Play"} and element.text and not absolute(element.text):
        faults.append(Fault(11100, f"{spec.name}: the address must be absolute"))
    return faults


def encoded_length(text: str) -> int:
    """How long a spoken text is when URL-encoded: nine characters for one Chinese one."""
    return len(quote_plus(text))
