"""References: eight random characters of Crockford's base 32, so that gaps count nothing and times leak
nothing."""

import re
import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_LETTER = "[0-9A-HJKMNP-TV-Z]"
#: The form of a reference, as a pattern.
REFERENCE = f"{_LETTER}{{4}}-{_LETTER}{{4}}"
_FORM = re.compile(f"{_LETTER}{{8}}")


def new_reference() -> str:
    """A new reference such as ``4F7K-92MX``; the database's unique index refuses a collision."""
    number = secrets.randbits(40)
    drawn = "".join([_ALPHABET[number >> place & 31] for place in range(0, 40, 5)])
    return f"{drawn[:4]}-{drawn[4:]}"


def read_reference(text: str) -> str | None:
    """The reference somebody typed (case, hyphens, look-alike letters do not matter); None if it is none."""
    bare = text.strip().upper().replace("-", "").replace(" ", "").translate(_READ_AS)
    return f"{bare[:4]}-{bare[4:]}" if _FORM.fullmatch(bare) else None
