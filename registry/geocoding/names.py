"""How place names are made comparable, and how what people type is taken apart. Nothing here knows a place.

Three spellings of a name, each coarser than the one before:
`fold("Марʼїнка")` keeps the script; `latin()` writes Cyrillic in Latin letters (Ukrainian national system of 2010
for Ukrainian letters, BGN/PCGN for Russian ones); `skeleton()` is the key of the index: the letters on which the
common systems (national 2010, BGN/PCGN, ISO 9, passports, German, French and Polish habit) disagree are merged, so
that Maryinka, Mar'inka, Marjinka and Марʼїнка meet. Two different places may share a skeleton: whoever looks up by it
compares the folded names afterwards.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_APOSTROPHES = "'’‘ʼʹʻ`´′″”“\"ˈ"
_PLAIN = dict.fromkeys(map(ord, _APOSTROPHES)) | {
    ord(a): b
    for a, b in {
        "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d", "ə": "e", "ħ": "h",
        "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ة": "ه", "ک": "ك", "ـ": "",
    }.items()
}  # fmt: skip
# Marks that go: Latin, Greek and Cyrillic accents, Arabic vowel signs, Hebrew points. Kana and Indic marks are letters.
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]")
_ASCII_APOSTROPHES = str.maketrans("", "", "'`\"")
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


def latin(folded: str) -> str:
    """A folded name with its Cyrillic letters written in Latin ones; other scripts stay."""
    return folded if folded.isascii() else folded.translate(_CYRILLIC)


def spelling(folded: str) -> str:
    """A folded name in Latin letters without spaces: what misspellings are measured by."""
    return latin(folded).replace(" ", "")


@lru_cache(maxsize=8192)
def skeleton(folded: str) -> str:
    """The key under which a folded name is kept: no spaces, no doubled letters, disputed romanisations merged."""
    key = spelling(folded)
    for merged in (_MERGED_H, _MERGED) if "h" in key else (_MERGED,):
        for written, letter in merged:
            if written in key:
                key = key.replace(written, letter)
    key = key.translate(_MERGED_LETTERS)
    return _DOUBLED.sub("", key).replace("ie", "e")


# Words that say what kind of thing a name is, folded.
_KINDS: dict[str, str] = {
    word: kind
    for kind, words in {
        "adm1": """oblast oblasti obl region regions province provinces krai kray okrug state republic respublika
            autonomous governorate prefecture voivodeship wojewodztwo judet provincia provincie estado departamento
            department regione bundesland vilayet muhafazat wilayah wilaya ostan
            область области області обл край края республика республики республіка республіки автономная автономна
            автономной автономної округ вобласць محافظه ولايه استان اقليم""",
        "adm2": """raion rayon rajon raiony district districts county powiat municipality municipio kreis landkreis
            bezirk kabupaten ilcesi obshtina hromada okres parish tehsil arrondissement canton
            council miskrada rada sovet gorodskoy городской міська міський міськрада рада совет
            район района районе району громада громади община общины повет повіт قضاء ناحيه مديريه شهرستان""",
        "place": """city town village hamlet settlement township borough misto selo selyshche posyolok poselok gorod
            ciudad ville cidade stadt gemeinde comune pgt smt
            г гор город города городе с село села селі селе сел сл д дер деревня деревни пос поселок поселка посёлок
            селище селища смт пгт м мм місто міста місті х хутор ст станица станиця п рп аул مدينه قريه بلده""",
        "street": """ul ulica ulitsa vul vulytsia vulitsa str street st avenue ave road rd lane blvd boulevard drive
            highway hwy square prospekt prosp pereulok calle carrera avenida rue strasse platz
            ул улица улице вул вулиця просп пр проспект пер переулок провулок бул бульвар пл площадь площа наб шоссе
            шосе проезд проїзд дом буд будинок кв корп شارع""",
    }.items()
    for word in map(fold, words.split())
}  # fmt: skip
_ABBREVIATED = {word for word in _KINDS if len(word) == 1} | {"st", "ст", "гор", "пос", "дер"}
_LINKS = {"of", "de", "del", "di", "da", "do", "du", "the"}
_CJK_KINDS = (
    dict.fromkeys("県都府道省州", "adm1")
    | dict.fromkeys("郡区县縣區군구", "adm2")
    | dict.fromkeys("市町村镇시읍면", "place")
)
_CJK = re.compile(r"^[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]{3,}$")


@lru_cache(maxsize=65536)
def core(folded: str) -> tuple[str, str | None]:
    """The name without words such as "oblast", "г." or 市, and what they say it is: adm1, adm2, place, street, None."""
    if _CJK.match(folded) and (kind := _CJK_KINDS.get(folded[-1])):
        return folded[:-1], kind
    words, before, after = folded.split(" "), None, None
    while len(words) > 1 and words[-1] in _KINDS and words[-1] not in _ABBREVIATED - {"st"}:
        word = words.pop()
        after = after or _KINDS[word]
    while len(words) > 1 and words[0] in _KINDS and words[0] != "st":
        word = words.pop(0)
        before = before or _KINDS[word]
        while len(words) > 1 and words[0] in _LINKS:
            words.pop(0)
    return " ".join(words), after or before


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


@dataclass(frozen=True, slots=True)
class Part:
    """One name out of what was typed."""

    text: str
    folded: str
    core: str
    kind: str | None


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed: names in their order, what is finer than a settlement, whether only nearness is said."""

    parts: tuple[Part, ...]
    remainder: str
    near: bool


_SEPARATORS = re.compile(r"[,;()\[\]/\n|،、]| [-–—] ")
_SHORTENED = ((re.compile(r"\bр-?н\b\.?", re.I), "район "), (re.compile(r"\bпр-?т\b\.?", re.I), "проспект "))
_RUN_TOGETHER = (
    # "Харьковская область Чугуев", "село X Чугуевского района Харьковской области"
    (re.compile(r"(\S+[сцз]ь?к\w{1,4}\s+(?:обл\w*\.?|район\w*|кра[йя]|округ\w*))(?=\s|$)", re.I), r",\1,"),
    # "Kharkiv Oblast Chuhuiv"
    (re.compile(r"(?<=\w )((?:Oblast|Raion|Rayon|Province|Governorate|Prefecture)['’]?)(?=\s+\w)"), r"\1,"),
    # "г. Шебекино ул. Ленина 5"
    (re.compile(r"\s((?:ул|вул|просп|пер|бул|пл|наб)\.|(?:улица|вулиця|проспект)\s)", re.I), r",\1"),
    # 東京都新宿区
    (re.compile(r"^([\u3400-\u9fff]{2,3}?[都道府県省])(?=[\u3040-\u9fff]{2,})"), r"\1,"),
)
_NEAR = re.compile(
    r"^\s*(?:(?:\d+\s*(?:km|км)\s+)?(?:north|south|east|west|north-?east|north-?west|south-?east|south-?west)\s+of"
    r"|near|outside|close to|outskirts of|the outskirts of|возле|около|вблизи|под|біля|поблизу|під|неподалік)\s+",
    re.I,
)


def parse(typed: str) -> Typed:
    """Take apart what was typed: `г. Шебекино, ул. Ленина 5` → Шебекино (a place), remainder `ул. Ленина 5`."""
    text = _NEAR.sub("", typed)
    near = text != typed
    if not text.isascii() or " " in text:
        for pattern, replacement in (*_SHORTENED, *_RUN_TOGETHER):
            text = pattern.sub(replacement, text)
    parts, finer = [], []
    pieces = [piece.strip() for piece in _SEPARATORS.split(text)]
    for piece in pieces:
        folded = fold(piece)
        if not folded:
            continue
        name, kind = core(folded)
        # A house or a street: "ул. Ленина 5", "5 Main St", "д. 7". Only where something else names the settlement.
        if kind == "street" or (len(pieces) > 1 and any(word[0].isdigit() for word in name.split(" "))):
            finer.append(piece)
        else:
            parts.append(Part(piece, folded, name, kind))
    return Typed(tuple(parts), ", ".join(finer), near)
