"""Matplotlib's figures as pieces of a page: no inline styles (the page's CSP forbids them), and the page's colours.

Figures are drawn in the colours of `Ink`, each of which becomes a class: the style sheet says what it looks like, in
the light and in the dark. Texts are text, in the page's font.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_KEPT = (
    "stroke-width",
    "stroke-dasharray",
    "stroke-linecap",
    "text-anchor",
    "font-size",
    "opacity",
    "fill-opacity",
    "stroke-opacity",
)

_DROPPED = frozenset({"metadata", "style", "clipPath"})

_TURN = threading.Lock()  # matplotlib is not made for threads


class Ink(StrEnum):
    """Colours that stand for names; one tells them apart, nobody sees them."""

    TEXT = "#010000"
    LINE = "#020000"
    ALLOW = "#030000"
    REVIEW = "#040000"
    BLOCK = "#050000"
    HOLD = "#060000"
    ACCENT = "#070000"
    FAINT = "#080000"


def svg(figure: Figure, *, label: str, words: Mapping[str, str] | None = None) -> str:
    """The figure as an <svg> element that scales, named `label`. `words` replaces whole texts of the figure."""
    ElementTree.register_namespace("", _SVG.strip("{}"))
    root = ElementTree.fromstring(_drawn(figure))
    links = {node.get(_LINK, "").removeprefix("#") for node in root.iter()}
    _prune(root)
    for node in root.iter():
        _dress(node, links)
        if node.tag == f"{_SVG}text" and words is not None:
            node.text = words.get(node.text or "", node.text)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib |= {"class": "plot", "role": "img", "aria-label": label}
    return ElementTree.tostring(root, encoding="unicode")


def _drawn(figure: Figure) -> str:
    import matplotlib as mpl

    text = io.StringIO()
    with _TURN, warnings.catch_warnings(), mpl.rc_context({"svg.fonttype": "none"}):
        # The browser has the font; this one only measures.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return text.getvalue()


def _prune(node: ElementTree.Element) -> None:
    """Without what is not seen: notes, clips, backgrounds that are not painted, and groups of nothing."""
    for child in list(node):
        _prune(child)
        name = child.tag.removeprefix(_SVG)
        unseen = name == "path" and child.get("style") == "fill: none"
        if unseen or name in _DROPPED or (name in ("g", "defs") and not len(child)):
            node.remove(child)


def _dress(node: ElementTree.Element, links: set[str]) -> None:
    """Styles become attributes and classes; names that nothing leads to go: a page holds several plots."""
    said = dict(part.split(": ", 1) for part in node.attrib.pop("style", "").split("; ") if ": " in part)
    if node.get("id") not in links:
        node.attrib.pop("id", None)
    node.attrib.pop("clip-path", None)
    if _LINK in node.attrib:
        node.set("href", node.attrib.pop(_LINK))
    if node.get("transform", "").startswith("rotate(-0 "):
        node.attrib.pop("transform")
    classes = []
    for what in ("fill", "stroke"):
        if said.get(what) in tuple(Ink):
            classes.append(f"{what}-{Ink(said[what]).name.lower()}")
        elif what in said:
            node.set(what, said[what])
    if classes:
        node.set("class", " ".join(classes))
    for name in _KEPT:
        if name in said:
            node.set(name, said[name])
