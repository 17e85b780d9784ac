"""How place names are made comparable. Nothing here knows a place.

Three spellings of a name, each coarser than the one before:
`fold("Марʼїнка")` keeps the script; `latin()` writes Cyrillic in Latin letters (Ukrainian national system of 2010
for Ukrainian letters, BGN/PCGN for Russian ones); `skeleton()` is the key of the index: the letters on which the
common systems (national 2010, BGN/PCGN, ISO 9, passports, German, French and Polish habit) disagree are merged, so
that Maryinka, Mar'inka, Marjinka and Марʼїнка meet. Two different places may share a skeleton: whoever looks up by it
compares the folded names afterwards.
"""

import re
import unicodedata
from functools import lru_cache

_APOSTROPHES = "'’‘ʼʹʻ`´′″”“\"ˈ"
_PLAIN = dict.fromkeys(map(ord, _APOSTROPHES)) | {
    ord(a): b
    for a, b in {
        "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d", "ə": "e", "ħ": "h",
        "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ة": "ه", "ک": "ك", "ـ": "", "ہ": "ه",
        "ؤ": "و", "ئ": "ي",
    }.items()
}  # fmt: skip
# Marks that go: Latin, Greek and Cyrillic accents, Arabic vowel signs, Hebrew points. Kana and Indic marks are letters.
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]")
_ASCII_APOSTROPHES = str.maketrans("", "", "'`\"")
_ARABIC_ARTICLE = re.compile(r"(?:(?<=\s)|^)ال(?=\w{2})")
_NOT_WORD = re.compile(r"[\W_]+")

_CYRILLIC = str.maketrans({
    "а": "a", "б": "b", "в": "v", "г": "g", "ґ": "g", "д": "d", "е": "e", "є": "ye", "ж": "zh", "з": "z", "и": "y",
    "і": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u",
    "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e",
    "ю": "yu", "я": "ya", "ј": "j", "љ": "lj", "њ": "nj", "ћ": "c", "ђ": "dj", "џ": "dzh", "ў": "u", "ѕ": "dz",
    "қ": "k", "ғ": "g", "ң": "n", "ө": "o", "ү": "u", "ұ": "u", "һ": "h", "ә": "a", "җ": "zh", "ҳ": "h", "ҷ": "j",
})  # fmt: skip

# Applied in this order. Left: one romanisation; right: the letter on which all of them agree. First those with an h.
_MERGED_H = (
    ("shch", "s"), ("tsch", "c"), ("sch", "s"), ("tch", "c"), ("sh", "s"), ("ch", "c"), ("kh", "g"), ("zh", "z"),
    ("ph", "f"), ("gh", "g"), ("th", "t"),
)  # fmt: skip
_MERGED = (("sc", "s"), ("ts", "c"), ("tz", "c"), ("zk", "ck"), ("ou", "u"), ("oo", "u"))
_MERGED_LETTERS = str.maketrans({"h": "g", "w": "v", "x": "ks", "q": "k", "y": "i", "j": "i"})
_DOUBLED = re.compile(r"(.)(?=\1)")


@lru_cache(maxsize=8192)
def fold(name: str) -> str:
    """The name in small letters of its own script, without accents and punctuation, words one space apart."""
    if name.isascii():
        if name.isalpha():
            return name.lower()
        name = name.translate(_ASCII_APOSTROPHES).lower()
    else:
        name = unicodedata.normalize("NFKD", name).casefold().translate(_PLAIN)
        name = unicodedata.normalize("NFC", _MARKS.sub("", name))
        if name.isalpha():
            return name
    return " ".join(_NOT_WORD.sub(" ", name).split())


def without_article(folded: str) -> str:
    """A folded name, its words without the Arabic article."""
    return folded if folded.isascii() else _ARABIC_ARTICLE.sub("", folded)


def latin(folded: str) -> str:
    """A folded name with its Cyrillic letters written in Latin ones; other scripts stay."""
    return folded if folded.isascii() else folded.translate(_CYRILLIC)


def spelling(folded: str) -> str:
    """A folded name in Latin letters without spaces: what misspellings are measured by."""
    return latin(folded).replace(" ", "")


@lru_cache(maxsize=8192)
def skeleton(folded: str) -> str:
    """The key of a folded name: no spaces, articles, doubled letters; disputed romanisations merged."""
    key = spelling(without_article(folded))
    for merged in (_MERGED_H, _MERGED) if "h" in key else (_MERGED,):
        for written, letter in merged:
            if written in key:
                key = key.replace(written, letter)
    key = key.translate(_MERGED_LETTERS)
    return _DOUBLED.sub("", key).replace("ie", "e")


_ADJECTIVE = re.compile(r"[szc]k(?:i|a|e|aia|oe|oi|ogo|omu|u|oiu|im)?$")
_VOWELS = re.compile(r"[aeiou]+$")


def roots(folded_core: str) -> frozenset[str]:
    """What a place name and the adjectives made from it share, as skeletons: Нікополь, Nikopolskyi → nikopol.

    Ukrainian and Russian derive the names of regions and districts with -ськ-/-ск-, before which a final г, ж, з
    becomes з, к, ч, ц become ц, and х, ш, с merge into it. So the root is what stands before that suffix, or the noun
    without its last vowels, with and without such a consonant.
    """
    key = skeleton(folded_core)
    found = _ADJECTIVE.search(key)
    if found and found.start() >= 2:
        return frozenset({key[: found.start()]})
    noun = _VOWELS.sub("", key)
    return frozenset({noun, noun[:-1]} if noun[-1:] in tuple("szcgkt") and len(noun) > 3 else {noun or key})


# Endings of Russian and Ukrainian names after "near", "from" and "between", and what the name may end in instead.
_CASES = (
    ("ского", ("ское", "ский", "ське")), ("ского", ("ск",)), ("ською", ("ська",)), ("ской", ("ская", "ськ")),
    ("ської", ("ська",)), ("ским", ("ское", "ский")), ("ським", ("ське", "ський")), ("ого", ("ое", "ый", "е")),
    ("ової", ("ова",)), ("овой", ("овая", "ова")), ("кой", ("ка",)), ("кою", ("ка",)), ("ом", ("", "о")),
    ("ем", ("ь", "е")), ("єм", ("й", "є")), ("ою", ("а",)), ("ой", ("а",)), ("ої", ("а",)), ("ей", ("я",)),
    ("ею", ("я",)), ("ки", ("ка",)), ("ы", ("а", "")), ("и", ("а", "ь", "я")), ("і", ("а", "")), ("я", ("ь", "й")),
    ("а", ("", "о")), ("у", ("", "о")), ("ю", ("ь", "й")),
)  # fmt: skip


def uninflected(folded: str) -> tuple[str, ...]:
    """What a Cyrillic name may be in the nominative: бахмута → бахмут, изюмом → изюм, изюмо."""
    if folded.isascii():
        return ()
    return tuple(
        folded[: -len(ending)] + fold(other)
        for ending, others in ((fold(written), others) for written, others in _CASES)
        if folded.endswith(ending) and len(folded) > len(ending) + 2
        for other in others
    )
