"""Text in CQL2 as a tree, within bounds that keep it from costing more than a list does."""

import re
from functools import cache
from pathlib import Path

from django.utils.translation import gettext as _
from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from registry.filters import BadFilter

#: So long a filter may be, and so many brackets, or NOTs, deep.
MOST_CHARACTERS, MOST_DEPTH = 8_000, 60
#: So many comparisons may stand in one, and so many wildcards in one of their patterns.
MOST_PREDICATES, MOST_WILDCARDS = 300, 10
PREDICATES = frozenset({"comparison", "like", "between", "member", "null", "spatial", "temporal", "constant"})


def parse(text: str) -> Tree:
    """The tree of ``grammar.lark``; BadFilter says where the text is none, or that it asks for too much."""
    if len(text) > MOST_CHARACTERS:
        raise bad(_("It has more than %s characters.") % f"{MOST_CHARACTERS:,}")
    if "\x00" in text:
        raise bad(_("Null characters are not allowed."))
    try:
        tree = _grammar().parse(text)
    except UnexpectedInput as error:
        is_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        at = len(text) if is_end or error.pos_in_stream is None else error.pos_in_stream
        near = text[at : at + 20] or _("its end")
        words = _("Not understood at character %(n)d, near “%(near)s”.") % {"n": at + 1, "near": near}
        raise bad(words) from None
    _check(tree)
    return tree


def bad(words: str) -> BadFilter:
    return BadFilter("filter", words)


def _check(tree: Tree) -> None:
    predicates, nodes = 0, [(tree, 1)]
    while nodes:
        node, depth = nodes.pop()
        if depth > MOST_DEPTH:
            raise bad(_("Its brackets are more than %d deep.") % MOST_DEPTH)
        predicates += node.data in PREDICATES
        nodes += [(child, depth + 1) for child in node.children if isinstance(child, Tree)]
    if predicates > MOST_PREDICATES:
        raise bad(_("It compares more than %d times.") % MOST_PREDICATES)


def meant(token: Token) -> str:
    """What a text between quotes means."""
    escaped = {
        "a": "\a",
        "b": "\b",
        "t": "\t",
        "n": "\n",
        "v": "\v",
        "f": "\f",
        "r": "\r",
        "\\": "\\",
        "'": "'",
    }
    # Any other escape is one of a pattern.
    return re.sub(
        r"''|\\(.)",
        lambda found: escaped.get(found[1], found[0]) if found[1] else "'",
        token[1:-1],
        flags=re.DOTALL,
    )


@cache
def _grammar() -> Lark:
    path = Path(__file__).with_name("grammar.lark")
    return Lark(path.read_text(), parser="lalr", maybe_placeholders=True)
