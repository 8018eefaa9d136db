"""Where labels go: near what they name, over as little else as possible. Pure geometry, in pixels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Box = tuple[float, float, float, float]  # left, top, right, bottom
Point = tuple[float, float]


def bounds(points: Sequence[Point]) -> Box:
    """The upright box round `points`."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def overlap(one: Box, other: Box) -> float:
    """The area that two boxes share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


def place(size: tuple[float, float], anchor: Box, within: Box, labels: Iterable[Box], others: Iterable[Box]) -> Box:
    """A place for a label of `size` (width, height) beside `anchor`, inside `within`.

    Other labels must not be covered if that can be helped, what they name (`others`) rather not, and a label that is
    far from what it names misleads. The first of the best places wins: above, below, right, left, then further off.
    """
    labels, others = list(labels), list(others)
    width, height = size
    left, top, right, bottom = anchor
    corners = [(left, top - height), (left, bottom), (right, top), (left - width, top), (right - width, top - height)]
    corners += [(left, bottom + step * height) for step in range(1, 4)]
    corners += [(left, top - step * height) for step in range(2, 4)]
    best, least = _inside((left, top, left + width, top + height), within), float("inf")
    for x, y in corners:
        box = _inside((x, y, x + width, y + height), within)
        cost = 4 * sum(overlap(box, label) for label in labels) + sum(overlap(box, other) for other in others)
        cost += 2 * overlap(box, anchor) + width * _gap(box, anchor)
        if cost < least:
            best, least = box, cost
        if cost < 1:  # square pixels: nothing but rounding
            break
    return best


def _gap(one: Box, other: Box) -> float:
    """How far apart two boxes are."""
    across = max(one[0] - other[2], other[0] - one[2], 0.0)
    down = max(one[1] - other[3], other[1] - one[3], 0.0)
    return across + down


def _inside(box: Box, within: Box) -> Box:
    """`box` moved into `within`; where it is larger, their top left corners meet."""
    x = max(within[0], min(box[0], within[2] - (box[2] - box[0])))
    y = max(within[1], min(box[1], within[3] - (box[3] - box[1])))
    return x, y, x + box[2] - box[0], y + box[3] - box[1]
