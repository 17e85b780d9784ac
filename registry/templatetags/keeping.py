"""Pieces of pages that are the same for everybody, kept in the process."""

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token, token_kwargs
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from registry.outputs.telling import FORGETTING

register = template.Library()

#: As many pieces are kept.
MOST = 1_000

_drawn: dict[tuple[object, ...], SafeString] = {}
FORGETTING.append(_drawn.clear)


class Kept(template.Node):
    def __init__(self, inside: NodeList, values: dict[str, FilterExpression]) -> None:
        self.nodelist, self.values = inside, values

    def render(self, context: template.Context) -> SafeString:
        values = {name: value.resolve(context) for name, value in self.values.items()}
        key = (self, get_language(), *values.values())
        piece = _drawn.get(key)
        if piece is None:
            if len(_drawn) >= MOST:
                _drawn.clear()
            piece = _drawn[key] = self.nodelist.render(context.new(values))
        return piece


@register.tag
def kept(parser: Parser, token: Token) -> Kept:
    """``{% kept a=b c=d %}…{% endkept %}``: what stands inside is drawn once for each language and each of
    the values named, and then given to everybody. It knows no variable but those, so it tells of no other.
    """
    words = token.split_contents()[1:]
    values = token_kwargs(words, parser)
    if words:
        raise template.TemplateSyntaxError(f"kept takes names with values, not {words[0]}")
    inside = parser.parse(("endkept",))
    parser.delete_first_token()
    return Kept(inside, values)
