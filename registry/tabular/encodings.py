"""Which encoding a text is in: UTF-8 and UTF-16 by their form, the one-byte ones by what their letters say.

Cyrillic has been written in six ways of one byte a letter, and every file is well-formed in all of them. They are
told apart by how common the letters are that each would have; what that does not tell, and a file whose lines
differ, is refused, never guessed.
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
        return _cyrillic(file) if runs[True] > runs[False] else "cp1252"


def _beyond_ascii(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines with other bytes than ASCII's, numbered, up to one that is no text: whoever reads says so."""
    file.seek(0)
    for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), 1):
        if b"\0" in line:
            return
        if not line.isascii():
            yield number, line


def _cyrillic(file: BinaryIO) -> str:
    whole: Counter[str] = Counter()
    #: For each encoding the line that another makes likeliest: by how much, its number, and the other.
    doubts = dict.fromkeys(_CYRILLIC, (0, 0, ""))
    for number, line in _beyond_ascii(file):
        costs = {encoding: _cost(line, encoding) for encoding in _CYRILLIC}
        whole.update(costs)
        least = min(costs, key=costs.__getitem__)
        for encoding, cost in costs.items():
            doubts[encoding] = max(doubts[encoding], (cost - costs[least], number, least))
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
