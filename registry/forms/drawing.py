"""How form controls are drawn: what Django's own widget templates give, but for white space, without a
template for every control and every option. A page of filters has a hundred of them."""

from collections.abc import Callable, Mapping
from typing import Any

from django.forms.renderers import TemplatesSetting
from django.utils.html import conditional_escape, escape

Widget = Mapping[str, Any]


class Renderer(TemplatesSetting):
    """Draws the controls named in ``CONTROLS`` itself and leaves the others to their templates."""

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        draw = CONTROLS.get(template_name)
        return draw(context["widget"]) if draw else super().render(template_name, context, request)


def _attrs(widget: Widget) -> str:
    return "".join(
        f" {escape(name)}" if value is True else f' {escape(name)}="{conditional_escape(value)}"'
        for name, value in widget["attrs"].items()
        if value is not False
    )


def _input(widget: Widget) -> str:
    value = "" if widget["value"] is None else f' value="{conditional_escape(widget["value"])}"'
    return f'<input type="{widget["type"]}" name="{escape(widget["name"])}"{value}{_attrs(widget)}>'


def _choice(widget: Widget) -> str:
    if not widget["wrap_label"]:
        return _input(widget)
    target = f' for="{escape(widget["attrs"]["id"])}"' if widget["attrs"].get("id") else ""
    return f"<label{target}>{_input(widget)} {conditional_escape(widget['label'])}</label>"


def _textarea(widget: Widget) -> str:
    words = conditional_escape(widget["value"]) if widget["value"] else ""
    return f'<textarea name="{escape(widget["name"])}"{_attrs(widget)}>\n{words}</textarea>'


def _option(widget: Widget) -> str:
    value, label = conditional_escape(widget["value"]), conditional_escape(widget["label"])
    return f'<option value="{value}"{_attrs(widget)}>{label}</option>'


def _select(widget: Widget) -> str:
    groups = []
    for name, options, _number in widget["optgroups"]:
        drawn = "".join(f"\n  {_option(option)}" for option in options)
        groups.append(
            f'\n  <optgroup label="{conditional_escape(name)}">{drawn}\n  </optgroup>' if name else drawn
        )
    return f'<select name="{escape(widget["name"])}"{_attrs(widget)}>{"".join(groups)}\n</select>'


_DRAWN: dict[Callable[[Widget], str], str] = {
    _input: "checkbox date email file hidden number password search text url",
    _choice: "checkbox_option radio_option",
    _textarea: "textarea",
    _select: "select",
}
#: What draws a control, by the name of Django's template for it.
CONTROLS = {
    f"django/forms/widgets/{name}.html": draw for draw, names in _DRAWN.items() for name in names.split()
}
