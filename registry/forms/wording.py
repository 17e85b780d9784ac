"""Words that tables use, made comparable: case, accents, punctuation and the Arabic article make no difference."""

import re
from functools import lru_cache

from registry.geocoding.names import fold, without_article

#: Scripts that write words without spaces between them.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff]")


def plain(text: str) -> str:
    return without_article(fold(text))


@lru_cache(maxsize=2000)
def pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Finds any of these words in a plain text: each as a whole, one that ends in ``*`` as the beginning of a word,
    one that begins with ``*`` as its end."""
    return re.compile("|".join(filter(None, map(_expression, words))) or r"(?!)")


def _expression(words: str) -> str:
    parts = [_word(word) for word in words.split()]
    if not all(parts):
        return ""
    unspaced = _UNSPACED.search(words)
    before, after = ("", "") if unspaced else ("" if words.startswith("*") else r"(?<!\w)", r"(?!\w)")
    return before + " ".join(parts) + ("" if words.endswith("*") else after)


def _word(word: str) -> str:
    said = re.escape(plain(word.strip("*")))
    return said and said + (r"\w*" if word.endswith("*") else "")
