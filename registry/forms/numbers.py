"""Numbers as files write them."""

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

_GROUPS = re.compile(r"(\d{1,3})([.,'’\s])(\d{3}(?:\2\d{3})*)([.,]0{1,2})?")
#: Signs that may stand before thousands, or before decimals.
_EITHER = (",", ".")


def whole(text: str, thousands: str = "") -> str | None:
    """A whole number as people's programs write it (70000, 70 000, 70,000,000, 7.0E+04), in digits; other texts as
    they are.

    ``thousands``: what stands between thousands. Where that is not said, None for what can be two numbers: 70,000.
    """
    text = text.strip()
    found = _GROUPS.fullmatch(text)
    if found is None:
        return decimal(text)
    first, sign, rest, zeros = found.groups()
    if sign in _EITHER and sign != thousands:
        if thousands:
            return decimal(text)
        if len(rest) == 3 and not zeros:
            return None
    return first + re.sub(r"\D", "", rest)


def decimal(text: str) -> str:
    """A number without spaces and exponents; other texts as they are. A lone comma is left to the form."""
    text = text.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3}){2,}", text) else text
    try:
        number = Decimal(re.sub(r"\s", "", text))
    except InvalidOperation:
        return text
    return f"{number:f}" if number.is_finite() and abs(number.adjusted()) < 20 else text


def thousands(texts: Iterable[str]) -> str:
    """What stands between the thousands of whole numbers, if some have it and none has it elsewhere; else empty."""
    signs = {found[2] for found in map(_GROUPS.fullmatch, texts) if found}
    return signs.pop() if len(signs) == 1 and signs <= set(_EITHER) else ""
