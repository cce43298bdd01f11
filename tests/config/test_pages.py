"""What all pages share: both languages whole, every word there, colours that can be read."""

import re
from pathlib import Path

import pytest

import config.web
from config.web.words import LOCALES, CatalogueError, Words

HOME = Path(config.web.__file__).parent


@pytest.fixture
def words() -> Words:
    return Words([HOME / "locale"])


def places(sentence: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", sentence))


def test_both_languages_say_the_same_things(words: Words):
    assert words.keys("zh") == words.keys("en")
    for key in words.keys("zh"):
        assert places(words("zh", key)) == places(words("en", key)), key


def test_every_word_that_a_page_uses_is_there(words: Words):
    used = set()
    for template in (HOME / "templates").glob("*.html"):
        used |= set(re.findall(r"""\bt\(["']([\w.]+)["'][,)]""", template.read_text()))
    used |= {f"error.{word}.{part}" for word in error_words() for part in ("title", "what")}
    used |= {f"language.to.{locale}" for locale in LOCALES}
    assert used <= words.keys("zh")


def error_words() -> set[str]:
    from config.web.errors import BROKEN, WORDS

    return {*WORDS.values(), BROKEN, "forged"}


def test_a_sentence_takes_its_names_and_its_number(tmp_path: Path):
    (tmp_path / "en.yaml").write_text(
        "calls:\n  n:\n    one: '{n} call for {who}'\n    other: '{n} calls for {who}'\n"
    )
    (tmp_path / "zh.yaml").write_text("calls:\n  n:\n    other: '{who} 的 {n} 通来电'\n")
    words = Words([tmp_path])
    assert words("en", "calls.n", n=1, who="Wang") == "1 call for Wang"
    assert words("en", "calls.n", n=2, who="Wang") == "2 calls for Wang"
    assert words("zh", "calls.n", n=1, who="王敏") == "王敏 的 1 通来电"
    assert words("zh", "calls.unknown") == "calls.unknown"


def test_two_storeys_do_not_say_one_thing_differently(tmp_path: Path):
    (tmp_path / "zh.yaml").write_text("product: 别的\n")
    with pytest.raises(CatalogueError, match="product"):
        Words([HOME / "locale", tmp_path])


# Colours: 4.5:1 for what is read, 3:1 for marks and the edges of controls (WCAG 2.2 AA).

READ = ("ink", "quiet", "good", "near", "past", "accent")
MARKS = ("off", "line-strong")


def palettes() -> dict[str, dict[str, str]]:
    sheet = (HOME / "static" / "app.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", sheet, re.DOTALL)[:2]
    found = {"light": _colours(light)}
    found["dark"] = found["light"] | _colours(dark)
    return found


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-fA-F]{6});", block))


def ratio(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", ["light", "dark"])
def test_everything_can_be_read(palette: str):
    colours = palettes()[palette]
    pairs = [(name, ground, 4.5) for name in READ for ground in ("paper", "shade")]
    pairs += [(name, ground, 3.0) for name in MARKS for ground in ("paper", "shade")]
    pairs += [(name, f"{name}-shade", 4.5) for name in ("good", "near", "past", "accent")]
    pairs += [("ink", f"{name}-shade", 4.5) for name in ("good", "near", "past", "accent")]
    pairs += [("quiet", "accent-shade", 4.5), ("on-accent", "accent", 4.5)]
    weak = {
        f"{name} on {ground}": round(found, 2)
        for name, ground, least in pairs
        if (found := ratio(colours[name], colours[ground])) < least
    }
    assert weak == {}
