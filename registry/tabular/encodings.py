"""Which encoding a text is in: UTF-8 and UTF-16 by their form, the others by what their letters say.

Cyrillic has been written in six ways of one byte a letter, and every file is well-formed in all of them. They are
told apart by how common the letters are that each would have. Where these would be too rare for Cyrillic, it is
another script: the one whose common letters the bytes are. What that does not tell, and a file whose lines differ,
is refused, never guessed.
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from math import log
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext_lazy as _

from .errors import LONGEST_LINE, BadTable

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1251": "Windows-1251",
    "koi8_u": "KOI8-U",
    "cp866": "CP866",
    "cp1125": "CP1125",
    "iso8859_5": "ISO 8859-5",
    "mac_cyrillic": "Mac Cyrillic",
    "cp1252": "Windows-1252",
    "cp1250": "Windows-1250",
    "cp1253": "Windows-1253",
    "cp1254": "Windows-1254",
    "cp1255": "Windows-1255",
    "cp1256": "Windows-1256",
    "cp932": "Shift-JIS",
    "cp949": "EUC-KR",
    "gb18030": "GB 18030",
    "cp950": "Big5",
}
#: Of those that read a text alike, the first is named: KOI8-R is KOI8-U without the letters of Ukrainian.
_CYRILLIC = ("cp1251", "koi8_u", "cp866", "cp1125", "iso8859_5", "mac_cyrillic")
MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_HIGH = re.compile(rb"[\x80-\xff]+")

#: How many of a thousand Cyrillic letters are each of these, in the names of the places of Ukraine, Russia and
#: Belarus that the gazetteer holds. Those that are commoner in words than in names are given what they have there.
_OF_A_THOUSAND = {
    "а": 101, "о": 99, "к": 84, "н": 68, "р": 67, "и": 59, "в": 58, "с": 55, "е": 54, "л": 41, "й": 35, "і": 34,
    "т": 26, "у": 23, "д": 22, "г": 21, "б": 20, "м": 19, "ь": 17, "п": 15, "я": 14, "ч": 12, "з": 10, "ш": 8,
    "ц": 8, "х": 7, "ы": 6, "ж": 5, "ї": 3, "ю": 2, "щ": 2, "ф": 2, "ё": 2, "э": 2, "є": 2, "ъ": 2, "ґ": 2,
}  # fmt: skip
_SIGNS = "«»“”„’‘–—№…°·\N{NO-BREAK SPACE}"
#: In tenths of the natural logarithm of how unlikely a sign is: of signs of a text, of letters of other
#: languages, and of what stands in no text.
_SIGN, _OTHER_LETTER, _NO_TEXT = 45, 76, 120
#: And of a capital after a small letter.
_TURNED = 40
#: A text is in the encoding that makes it so much likelier than the next (exp 4, that is 55 times); a line is in
#: another one than the rest if that makes it so much likelier.
_SURE, _ANOTHER = 40, 100


#: What a letter of Cyrillic costs at most on average: those of names and words are at 32.
_CYRILLIC_AT_MOST = 37
#: Of so many letters that are neither it nor of any other script here, the encoding is not known.
_MANY_LETTERS = 40


def _bytes(*spans: tuple[int, int]) -> bytes:
    return bytes(byte for first, last in spans for byte in range(first, last + 1))


#: Of the encodings of other scripts the first bytes of their common letters, and how many of a text's are among
#: them; of several that fit the first.
_COMMON = {
    "cp1255": (_bytes((0xE0, 0xFA)), 0.98),  # Hebrew
    "cp1256": (_bytes((0xC1, 0xD6), (0xD8, 0xDF), (0xE1, 0xE1), (0xE3, 0xE6), (0xEC, 0xED)), 0.95),  # Arabic
    "cp1253": (_bytes((0xB8, 0xBA), (0xC1, 0xFE)), 0.98),  # Greek
    "cp949": (_bytes((0xB0, 0xC8)), 0.97),  # Korean, by its syllables
    "gb18030": (_bytes((0xB0, 0xD7)), 0.9),  # Chinese, by the commoner half of its signs; so the next two
    "cp932": (_bytes((0x81, 0x83), (0x88, 0x97)), 0.9),  # Japanese
    "cp950": (_bytes((0xA4, 0xC6)), 0.9),
}
#: Letters that Turkish has, and other languages that take them from the same bytes hardly; and those of Polish.
_TURKISH, _POLISH = b"\xd0\xdd\xde\xf0\xfd\xfe", b"\x8c\x8f\x9c\x9f\xa3\xa5\xaf\xb3\xb9\xbf"


def _unlikely(byte: int, encoding: str) -> int:
    sign = bytes([byte]).decode(encoding, "replace")
    if often := _OF_A_THOUSAND.get(sign.lower()):
        return round(-10 * log(often / 1000))
    if sign in _SIGNS:
        return _SIGN
    return _OTHER_LETTER if "\u0400" <= sign <= "\u045f" else _NO_TEXT


#: For each encoding what every byte costs, so that the cost of a line is the sum of its translation.
_COSTS = {
    encoding: bytes(_unlikely(byte, encoding) if byte > 127 else 0 for byte in range(256))
    for encoding in _CYRILLIC
}
#: For each encoding which bytes are small letters (l) and which are capitals (L).
_CASES = {
    encoding: bytes(
        ord("l" if sign.islower() else "L" if sign.isupper() else " ")
        for sign in (bytes([byte]).decode(encoding, "replace") for byte in range(256))
    )
    for encoding in _CYRILLIC
}


def _cost(line: bytes, encoding: str) -> int:
    turned = line.translate(_CASES[encoding]).count(b"lL")
    return sum(line.translate(_COSTS[encoding])) + _TURNED * turned


def encoding_of(path: Path) -> str:
    """One of ENCODINGS. Raises BadTable for a text in several, and for one that could be in several."""
    with path.open("rb") as file:
        start = file.read(4096)
        if start[:2] in MARKS:
            return MARKS[start[:2]]
        # Two bytes a character without a mark: every other byte of what is ASCII is zero.
        zeros = [start[place::2].count(0) for place in (0, 1)]
        if max(zeros) * 4 > len(start) and min(zeros) == 0:
            return "utf-16-be" if zeros[0] else "utf-16-le"
        fits, others, runs = 0, 0, Counter[bool]()
        for _number, line in _beyond_ascii(file):
            try:
                line.decode("utf-8")
                fits += 1
            except UnicodeDecodeError:
                others += 1
                # Words in Cyrillic are runs of high bytes; of French or Polish ones single letters are.
                runs.update(len(run) > 1 for run in _HIGH.findall(line))
        # A line or two of Windows-1251 may happen to be UTF-8 too. More, and the file mixes both: whoever reads
        # it as UTF-8 says where.
        if fits * 4 >= others:
            return "utf-8"
        return _by_letters(file) if runs[True] > runs[False] else _western(file)


def _beyond_ascii(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines with other bytes than ASCII's, numbered, up to one that is no text: whoever reads says so."""
    file.seek(0)
    for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), 1):
        if b"\0" in line:
            return
        if not line.isascii():
            yield number, line


def _western(file: BinaryIO) -> str:
    """Of the encodings of Latin letters; Windows-1252 where the rarer letters of Turkish and Polish do not prevail."""
    high = Counter(byte for _number, line in _beyond_ascii(file) for byte in line if byte > 127)
    turkish, polish = (sum(high[byte] for byte in letters) for letters in (_TURKISH, _POLISH))
    if 4 * turkish >= high.total() and len(high.keys() & set(_TURKISH)) > 1:
        return "cp1254"
    if 3 * polish >= high.total() and len(high.keys() & set(_POLISH)) > 2:
        return "cp1250"
    return "cp1252"


def _by_letters(file: BinaryIO) -> str:
    """Cyrillic, or what another script has its letters in."""
    whole, letters = Counter[str](), 0
    #: For each encoding the line that another makes likeliest: by how much, its number, and the other.
    doubts = dict.fromkeys(_CYRILLIC, (0, 0, ""))
    for number, line in _beyond_ascii(file):
        costs = {encoding: _cost(line, encoding) for encoding in _CYRILLIC}
        whole.update(costs)
        letters += sum(map(len, _HIGH.findall(line)))
        least = min(costs, key=costs.__getitem__)
        for encoding, cost in costs.items():
            doubts[encoding] = max(doubts[encoding], (cost - costs[least], number, least))
    if min(whole.values()) > _CYRILLIC_AT_MOST * letters:
        if other := next((encoding for encoding in _COMMON if _is_common(file, encoding)), ""):
            return other
        if letters >= _MANY_LETTERS and min(whole.values()) > 1.2 * _CYRILLIC_AT_MOST * letters:
            raise BadTable(
                _("The letters of this file are in no encoding that is known here. Save it as CSV (UTF-8).")
            )
    return _cyrillic(file, whole, doubts)


def _is_common(file: BinaryIO, encoding: str) -> bool:
    """Whether the lines can be read in this encoding, and most of their letters are common in its script."""
    common, least = _COMMON[encoding]
    found, letters = 0, 0
    for _number, line in _beyond_ascii(file):
        try:
            signs = [sign.encode(encoding) for sign in line.decode(encoding) if sign > "\x7f"]
        except UnicodeError:
            return False
        letters += len(signs)
        found += sum(sign[0] in common for sign in signs)
    return found >= least * letters


def _cyrillic(file: BinaryIO, whole: Counter[str], doubts: dict[str, tuple[int, int, str]]) -> str:
    """The encoding of Cyrillic in which the whole text costs least, where no line and no other speaks against it."""
    best = min(_CYRILLIC, key=whole.__getitem__)
    more, number, other = doubts[best]
    if more > _ANOTHER:
        raise BadTable(
            _(
                "The file mixes encodings: line %(line)d is %(other)s, others are %(encoding)s. "
                "Save it as CSV (UTF-8)."
            )
            % {"line": number, "other": ENCODINGS[other], "encoding": ENCODINGS[best]}
        )
    for rival in _CYRILLIC:
        if whole[rival] - whole[best] < _SURE and (differs := _difference(file, best, rival)):
            raise BadTable(
                _(
                    "The letters of this file can be read two ways: “%(one)s” as %(encoding)s, “%(two)s” as "
                    "%(other)s. Save it as CSV (UTF-8)."
                )
                % {
                    "one": differs[0],
                    "encoding": ENCODINGS[best],
                    "two": differs[1],
                    "other": ENCODINGS[rival],
                }
            )
    return best


def _difference(file: BinaryIO, one: str, other: str) -> tuple[str, str] | None:
    """The first word that two encodings read differently, as each reads it."""
    for _number, line in _beyond_ascii(file):
        for run in _HIGH.findall(line):
            words = run.decode(one, "replace"), run.decode(other, "replace")
            if words[0] != words[1]:
                return words
    return None
