"""How what people type about a place is taken apart, in several languages and scripts. Nothing here knows a place.

`core()` tells a name from the words for its kind ("Kharkiv Oblast", "г. Шебекино", 札幌市). `parse()` gives the names
in their order, what is finer than a settlement, and whether only nearness is said. What words alone cannot decide
("Columbus OH": where does the name end?) is left to whoever knows the places.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from .names import fold, uninflected

# Words that say what kind of thing a name is, folded. `noise` says nothing about the place itself.
_KINDS: dict[str, str] = {
    word: kind
    for kind, words in {
        "adm1": """oblast oblasti obl region regions province provinces krai kray okrug state republic respublika
            governorate prefecture voivodeship wojewodztwo judet provincia provincie estado departamento
            department regione bundesland vilayet muhafazat wilayah wilaya ostan
            область области області обл край края республика республики республіка республіки округ вобласць
            محافظه ولايه استان اقليم ريف""",
        "adm2": """raion rayon rajon raiony district districts county parish borough powiat municipality municipio kreis
            landkreis bezirk kabupaten ilcesi obshtina hromada okres tehsil arrondissement canton
            council miskrada rada sovet gorodskoy городской міська міський міськрада рада совет distrito comuna
            район района районе району районі громада громади громаді община общины повет повіт
            قضاء ناحيه مديريه شهرستان""",
        "place": """city town village hamlet settlement township misto selo selyshche posyolok poselok gorod
            ciudad ville cidade stadt gemeinde comune pgt smt localidad pueblo caserio shi machi cho mura
            г гор город города городе с село села селі селе сел сл д дер деревня деревни деревне пос поселок поселка
            поселке селище селища смт пгт м мм місто міста місті х хутор ст станица станиця п рп аул населений
            населенныи пункт типа типу міського городского مدينه قريه بلده منطقه""",
        "street": """ul ulica ulitsa vul vulytsia vulitsa str street st avenue ave road rd lane blvd boulevard drive
            highway hwy square prospekt prosp pereulok calle carrera avenida av rue strasse platz colonia col barrio
            carretera jiron jr box
            ул улица улице вул вулиця вулиці просп пр проспект пер переулок провулок бул бульвар пл площадь площа наб
            шоссе шосе проезд проїзд дом буд будинок кв корп شارع حي طريق""",
        "noise": """autonomous autonoma autonomo автономная автономна автономной автономної
            area vicinity outskirts surroundings suburb suburbs suburban downtown rural northern southern
            community direction frontline railway station airport airfield seaport hospital school university plant
            factory substation bridge dam power thermal вокзал аэропорт аеропорт""",
    }.items()
    for word in map(fold, words.split())
}  # fmt: skip
_TRAILING_ALONE = {"st", "shi", "machi", "cho", "mura"}  # St. Louis is no street
_LEADING_KINDS = {word: kind for word, kind in _KINDS.items() if word not in _TRAILING_ALONE} | {
    "the": "noise"
}
_ABBREVIATED = {word for word in _KINDS if len(word) == 1} | {"ст", "гор", "пос", "дер", "av", "col"}
# "Obalst", "Oblas": a letter left out of a long word for an area, or two of its letters exchanged.
_MISSPELT = {
    written: kind
    for word, kind in _KINDS.items()
    if len(word) > 5 and kind in ("adm1", "adm2")
    for place in range(1, len(word))
    for written in (word[:place] + word[place + 1 :], word[:place] + word[place : place + 2][::-1] + word[place + 2 :])
    if written not in _KINDS
}  # fmt: skip
_LEADING_ON = {"in", "at", "the", "of", "en", "de", "del", "la", "el", "в", "во", "у", "на"}
_LINKS = {"of", "de", "del", "di", "da", "do", "du", "the"}
_KIND_OF = re.compile(
    rf"^(?:the )?(?:{'|'.join(word for word in _KINDS if word.isascii())}) (?:of|de|del|di) "
)
_CJK_KINDS = (
    dict.fromkeys("県都府道省州", "adm1")
    | dict.fromkeys("郡区县縣區군구", "adm2")
    | dict.fromkeys("市町村镇시읍면", "place")
)
_CJK = re.compile(r"^[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]{3,}$")
# "in the countryside of": بريف, في ريف, "southern": which part of an area is meant changes neither name nor area.
_ARABIC_JOINED = re.compile(
    r"(?:(?<=\s)|^)[بل]?(?=(?:ريف|محافظ[ةه]|مدين[ةه]|بلد[ةه]|قري[ةه]|منطق[ةه]|ناحي[ةه]|قضاء)\s)"
)
_ARABIC_SIDE = re.compile(r"\s(?:ال)?(?:شمال|جنوب|شرق|غرب)ي[ةه]?(?=\s|$)")


@lru_cache(maxsize=65536)
def core(folded: str) -> tuple[str, str | None]:
    """The name without words such as "oblast", "г." or 市, and what they say it is: adm1, adm2, place, street, None."""
    if _CJK.match(folded) and (kind := _CJK_KINDS.get(folded[-1])):
        return folded[:-1], kind
    words, kinds = folded.split(" "), []
    while len(words) > 1 and (kind := _KINDS.get(words[-1]) or _MISSPELT.get(words[-1])):
        if words[-1] in _ABBREVIATED:
            break
        words.pop()
        kinds.append(kind)
    while len(words) > 1 and (kind := _LEADING_KINDS.get(words[0])):
        words.pop(0)
        kinds.append(kind)
        while len(words) > 1 and words[0] in _LINKS:
            words.pop(0)
    return " ".join(words), next((kind for kind in kinds if kind != "noise"), None)


def is_kind(folded: str) -> bool:
    """Whether this is no name, but a word for a kind, or nothing at all."""
    return not folded or folded in _KINDS or folded in _LINKS


def linked(words: list[str]) -> str:
    """The words of a name before that of an area, without those that lead on to it: "Noto in the", "Puebla en"."""
    end = len(words)
    while end > 1 and words[end - 1].lower() in _LEADING_ON:
        end -= 1
    return " ".join(words[:end])


class Part(NamedTuple):
    """One name out of what was typed."""

    text: str
    folded: str
    core: str
    kind: str | None
    cases: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """What may be the name, folded: "city of oklahoma city", "oklahoma city", "oklahoma"."""
        if self.core == self.folded:
            return [self.folded, *self.cases]
        return list(dict.fromkeys((self.folded, _KIND_OF.sub("", self.folded), self.core, *self.cases)))


def part(text: str) -> Part:
    """A text that is one name."""
    folded = fold(text)
    return Part(text, folded, *core(folded))


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed: names in their order, what is finer than a settlement, whether only nearness is said.

    `between`: the two ends, where a place between two others is meant.
    """

    parts: tuple[Part, ...] = ()
    finer: tuple[Part, ...] = ()
    near: bool = False
    between: tuple[str, str] | None = None

    @property
    def remainder(self) -> str:
        """What is finer, as it was typed."""
        return ", ".join(part.text for part in self.finer)


_SEPARATORS = re.compile(r"[,;()\[\]/\n|،、（），；]| [-–—] ")
# "south of", "5 km NW of", "к северу от", "на південь від", "al norte de", شمال …
_DISTANCE = (
    r"(?:(?:в|за|at|a|unos|на)\s+)?"
    r"(?:~?\d+(?:[.,]\d+)?\s*(?:kms?|км|kilomet(?:er|re)s?|mi(?:les?)?|кілометр\w*|километр\w*)\s+)?"
)
_ASIDE = (
    r"(?:just\s+)?(?:to\s+the\s+)?(?:north|south|east|west|[nsew]{1,3})(?:[- ]?(?:east|west))?(?:ern)?\s+(?:of|from)",
    r"(?:away\s+)?from|outside of|от|від",
    r"(?:к\s+)?(?:(?:северо|юго)-?)?(?:север|юг|восток|запад)у?\s+от",
    r"(?:(?:северо|юго)-?)?(?:северн|южн|восточн|западн)ее(?:\s+от)?",
    r"на\s+(?:(?:північний|південний)\s+)?(?:північ|південь|схід|захід)\s+від",
    r"(?:al\s+)?(?:norte|sur|este|oeste|noreste|noroeste|sureste|suroeste|sudeste|sudoeste)\s+de",
)
_BESIDE = (
    r"near(?:by)?(?:\s+to)?|outside|close to|next to|around",
    r"(?:(?:on|in)\s+)?(?:the\s+)?(?:outskirts|vicinity|suburbs?|area) of",
    r"возле|около|вблизи|неподалеку от|под|в районе|окраина|біля|поблизу|під|неподалік(?:\s+від)?|в районі|околиця",
    r"cerca\s+de|en\s+las\s+afueras\s+de|alrededores\s+de",
    r"قرب|بالقرب\s+من|محيط|(?:شمال|جنوب|شرق|غرب)ي?(?:\s+(?:شرق|غرب)ي?)?",
)
_NEAR = re.compile(rf"^\s*(?:{_DISTANCE}(?:{'|'.join(_ASIDE)})|{'|'.join(_BESIDE)})\s+", re.I)
_NEAR_AFTER = re.compile(
    r"\s*(?:の?近く|付近|周辺|の?[北南東西]{1,2}(?:部|側)|\s(?:area|vicinity|surroundings))$", re.I
)
_BETWEEN = re.compile(
    r"^\s*(?:(?:on\s+)?the\s+road\s+)?(?:between|между|між|entre|بين)\s+(.+?)\s+(?:and|и|і|та|й|y|e|و\s?)\s*(.+)$",
    re.I,
)
_AREA_WORD = (
    r"\b(?:region|oblast|obl|district|raion|province|county|state|governorate|prefecture|republic|hromada)\b"
)
_STREET_ENDS = "St|Street|Ave|Avenue|Rd|Road|Blvd|Dr|Drive|Ln|Lane|Hwy|Highway|Way|Plaza|Pl|Ct|Court|Pkwy"
_REWRITTEN = (
    (re.compile(r"\bр-?н\b\.?", re.I), "район "),
    (re.compile(r"\bпр-?т\b\.?", re.I), "проспект "),
    (re.compile(r"\bг\.\s?о\.|\b(?:городск|муниципальн|сельск)\w+\s+(?:округ|район|поселени)\w*", re.I), "район"),
    # Codes for the post: 〒100-0001, "IL 62521-0037", a box. And the country before a Japanese address.
    (re.compile(r"〒?\s*\b\d{3}-\d{4}\b\s*|^日本国?(?=\S)|〒"), ""),
    (re.compile(r"(?<=[A-Za-z.])[ ,]+\d{5}(?:-\d{4})?(?=\s*(?:,|$))"), ""),
    (re.compile(r"\bP\.? ?O\.? box\b", re.I), "box"),
    # "Харьковская область Чугуев", "село X Чугуевского района Харьковской области"
    (re.compile(r"(\S+[сцз]ь?к\w{1,4}\s+(?:обл\w*\.?|район\w*|кра[йя]|округ\w*))(?=\s|$)", re.I), r",\1,"),
    (re.compile(r"((?:Автономна|Автономная)?\s*Республ[иі]ка\s+\S+)(?=\s|$)", re.I), r",\1,"),
    # "Kharkiv Oblast Chuhuiv"; "Yasne in the Zaporizhzhia region"
    (re.compile(r"(?<=\w )((?:Oblast|Raion|Rayon|Province|Governorate|Prefecture)['’]?)(?=\s+\w)"), r"\1,"),
    (re.compile(rf"\s+(?:in|at)\s+(?:the\s+)?(?=[^,;()]*{_AREA_WORD})", re.I), ", "),
    (re.compile(r"\s+(?:في|بريف|بمحافظة)\s+"), lambda found: "، ريف " if "ريف" in found[0] else "، "),
    # "г. Шебекино ул. Ленина 5"; "500 S 27th St Plainview"
    (re.compile(r"\s((?:ул|вул|просп|пер|бул|пл|наб)\.|(?:улица|вулиця|проспект)\s)", re.I), r",\1"),
    (re.compile(rf"^(\d+[\w-]*\s(?:[\w.'-]+\s){{1,4}}?(?:{_STREET_ENDS})\.?)\s+(?=[A-Z])"), r"\1, "),
    # 東京都新宿区, 石川県鳳珠郡能登町
    (re.compile(r"^([\u3400-\u9fff]{2,3}?[都道府県省])\s*(?=[\u3040-\u9fff]{2,})"), r"\1,"),
    (re.compile(r"(?<=[都道府県省],)([\u3040-\u9fff]{1,5}郡)(?=[\u3040-\u9fff]{2,})"), r"\1,"),
)  # fmt: skip
# One word of Latin or Cyrillic letters: nothing of the above is in it.
_PLAIN = re.compile(r"[A-Za-z\u00c0-\u024f'’ʹ-]+|[\u0400-\u04ff'’]+")


@lru_cache(maxsize=8192)
def parse(typed: str, near: bool = False) -> Typed:
    """Take apart what was typed: `г. Шебекино, ул. Ленина 5` → Шебекино (a place), remainder `ул. Ленина 5`.

    `near`: it stood after a word such as "between", so that its names may be inflected.
    """
    if _PLAIN.fullmatch(typed) and (typed.isascii() or not near):  # Cyrillic is inflected after "between"
        return Typed((part(typed),))
    if ends := _BETWEEN.match(typed):
        return Typed(near=True, between=(ends[1], ends[2]))
    text = typed
    for pattern, replacement in _REWRITTEN:
        text = pattern.sub(replacement, text)
    parts: list[Part] = []
    finer: list[Part] = []
    pieces = [piece.strip() for piece in _SEPARATORS.split(text)]
    many = sum(map(bool, pieces)) > 1
    for piece in pieces:
        bare = _NEAR_AFTER.sub("", _NEAR.sub("", piece))
        near = near or bare != piece
        found = part(bare if bare.isascii() else _ARABIC_JOINED.sub("", bare))
        if found.kind == "adm1" and not bare.isascii():
            found = part(_ARABIC_SIDE.sub("", found.text))
        if near and found.kind is None:
            found = found._replace(cases=uninflected(found.core))
        if not found.folded:
            continue
        # A house or a street: "ул. Ленина 5", "5 Main St", "д. 7". Only where something else names the settlement.
        numbered = found.core[0] < "\u3040" and any(word[0].isdigit() for word in found.core.split(" "))
        if found.kind == "street" or (many and numbered):
            finer.append(found._replace(text=piece))
        elif found.kind in ("adm1", "adm2") or all(found.core != one.core for one in parts):
            parts.append(found)  # but "Chester substation, Chester" once
    return Typed(tuple(parts), tuple(finer), near)
