"""HTML and SVG built from elements, so that no string can become markup: the standard library escapes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element, tostring

from geoagent.interfaces.render import shown

Kid = Element | str | None
Kids = Kid | Iterable["Kids"]


def el(tag: str, attributes: Mapping[str, object] | None = None, *kids: Kids) -> Element:
    """Return an element with text and elements in it; strings are made safe to look at, None is left out."""
    node = Element(tag, {name: shown(str(value)) for name, value in (attributes or {}).items() if value is not None})
    last: Element | None = None
    for kid in _flat(kids):
        if isinstance(kid, Element):
            node.append(kid)
            last = kid
        elif last is None:
            node.text = (node.text or "") + shown(kid)
        else:
            last.tail = (last.tail or "") + shown(kid)
    return node


def say(text: str) -> Element:
    """Foreign text in its own direction, so that it cannot turn around what stands beside it."""
    return el("bdi", {}, text)


def markup(node: Element) -> str:
    """Write an element as HTML."""
    return tostring(node, encoding="unicode", method="html")


def _flat(kids: Iterable[Kids]) -> Iterable[Element | str]:
    for kid in kids:
        if isinstance(kid, Element | str):
            yield kid
        elif kid is not None:
            yield from _flat(kid)
