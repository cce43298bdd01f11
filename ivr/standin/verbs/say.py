"""Say: the caller hears a text; it takes as long as speaking it would."""

from ivr.standin.faults import Faults
from ivr.standin.inbox import Target
from ivr.standin.stage import Stage
from ivr.standin.twiml import Attribute, Element, Fault, Spec, encoded_length, whole

ENCODED_CHARS_MAX = 4500
BASIC_CHARS_MAX, POLLY_CHARS_MAX, GOOGLE_CHARS_MAX = 4096, 3000, 5000
FIRST_WIDE = 0x2E80
LOOPS_WITHOUT_END = 1000

LANGUAGES = frozenset(
    [
        "af-ZA",
        "ar-AE",
        "ar-XA",
        "bg-BG",
        "bn-IN",
        "ca-ES",
        "cmn-CN",
        "cmn-TW",
        "cs-CZ",
        "cy-GB",
        "da-DK",
        "de-AT",
        "de-DE",
        "el-GR",
        "en-AU",
        "en-CA",
        "en-GB",
        "en-GB-WLS",
        "en-IE",
        "en-IN",
        "en-NZ",
        "en-US",
        "en-ZA",
        "es-ES",
        "es-MX",
        "es-US",
        "eu-ES",
        "fi-FI",
        "fil-PH",
        "fr-BE",
        "fr-CA",
        "fr-FR",
        "gl-ES",
        "gu-IN",
        "he-IL",
        "hi-IN",
        "hu-HU",
        "id-ID",
        "is-IS",
        "it-IT",
        "ja-JP",
        "kn-IN",
        "ko-KR",
        "lt-LT",
        "lv-LV",
        "ml-IN",
        "mr-IN",
        "ms-MY",
        "nb-NO",
        "nl-BE",
        "nl-NL",
        "pa-IN",
        "pl-PL",
        "pt-BR",
        "pt-PT",
        "ro-RO",
        "ru-RU",
        "sk-SK",
        "sr-RS",
        "sv-SE",
        "ta-IN",
        "te-IN",
        "th-TH",
        "tr-TR",
        "uk-UA",
        "vi-VN",
        "yue-CN",
        "yue-HK",
        "zh-CN",
        "zh-HK",
        "zh-TW",
        "arb",
    ]
)
BASIC_VOICES = frozenset({"man", "woman", "alice"})


def _is_voice(text: str) -> bool:
    return text in BASIC_VOICES or text.partition(".")[0] in {"Polly", "Google"}


def _inspect(say: Element) -> list[Fault]:
    faults = []
    if not say.text:
        faults.append(Fault(13520, "Say: invalid text, there is none"))
    if encoded_length(say.text) > ENCODED_CHARS_MAX:
        faults.append(Fault(13521, "Say: the text is longer than 4500 characters when URL-encoded"))
    elif len(say.text) > _chars_max(say.word("voice")):
        faults.append(Fault(13521, "Say: the text is too long for its voice"))
    return faults


def _chars_max(voice: str) -> int:
    if voice.startswith("Polly."):
        return POLLY_CHARS_MAX
    return GOOGLE_CHARS_MAX if voice.startswith("Google.") else BASIC_CHARS_MAX


SPEC = Spec(
    "Say",
    {
        "voice": Attribute(_is_voice, 13511),
        "language": Attribute(LANGUAGES.__contains__, 13512),
        "loop": Attribute(whole(0, LOOPS_WITHOUT_END), 13510),
    },
    any_children=True,
    inspect=_inspect,
)


def spoken_ms(text: str, faults: Faults) -> int:
    """How long a voice needs: a Chinese character is a syllable, a Latin one a fraction of it."""
    wide = sum(1 for character in text if ord(character) >= FIRST_WIDE)
    return min(wide * faults.say_wide_ms + (len(text) - wide) * faults.say_latin_ms, faults.say_ms_max)


async def run(stage: Stage, say: Element) -> Target | None:
    stage.exchange.answer(stage.call)
    lasts_ms = spoken_ms(say.text, stage.exchange.faults)
    for _ in range(say.number("loop", 1) or LOOPS_WITHOUT_END):
        stage.call.hear("said", say.text, say.word("language", "en-US"))
        await stage.pass_time(lasts_ms)
    return None
