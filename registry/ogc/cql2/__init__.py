"""CQL2 text (OGC 21-065), the language of filters, as far as columns are compared with values.

``parsing`` reads it by a grammar, ``conditions`` makes of it what rows must meet.
"""

from .conditions import also, equals

__all__ = ["also", "equals"]
