"""Two policies over the same results of a re-scan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gatepost_server.policy import grounds
from gatepost_server.policy.comparison import EXAMPLES, Comparison, Example, Flip
from gatepost_server.policy.grounds import BY_GRAVITY
from gatepost_server.rescan.replay.many import Decided, Judge, grave_grounds
from gatepost_server.rescan.replay.results import Batch, Results


def compare(results: Results, new: Judge, against: Judge | None = None) -> Comparison:
    """Without `against`, with the decisions that were given.

    Raises ValueError for evidence that cannot be read, and SourceError, CredentialsError.
    """
    found = Comparison()
    other = against.columns if against is not None else ()
    for whole in results.batches(tuple(dict.fromkeys(("decision", "tenant", *new.columns, *other)))):
        seen = whole.rows["scores"].is_valid().to_numpy() & whole.rows["decision"].is_valid().to_numpy()
        batch = whole if seen.all() else whole.filter(seen)
        found.rows += len(batch.rows)
        found.without_evidence += len(whole.rows) - len(batch.rows)
        after = new.judge(batch)
        before = against.judge(batch) if against is not None else None
        found.one_by_one += after.one_by_one
        _count(found, batch, _given(batch.rows) if before is None else before.decisions, before, after)
    return found


def _given(rows: pa.Table) -> Any:
    places = pc.index_in(rows["decision"], pa.array([decision.value for decision in BY_GRAVITY]))
    return places.to_numpy().astype(np.int8)


def _count(found: Comparison, batch: Batch, old: Any, before: Decided | None, after: Decided) -> None:
    for decisions, counts in ((old, found.before), (after.decisions, found.after)):
        for place, count in enumerate(np.bincount(decisions, minlength=len(BY_GRAVITY)).tolist()):
            if count:
                counts[BY_GRAVITY[place].value] += count
    for each in pc.value_counts(batch.rows["tenant"]).to_pylist():
        found.tenants[each["values"]] += each["counts"]
    places = np.flatnonzero(old != after.decisions)
    tenants = batch.rows["tenant"].take(pa.array(places)).to_pylist()
    stored = _stored_reasons(batch, places[after.decisions[places] < old[places]]) if before is None else {}
    shown: list[tuple[int, Flip, tuple[str, ...]]] = []
    for place, tenant in zip(places.tolist(), tenants, strict=True):
        flip = BY_GRAVITY[old[place]].value, BY_GRAVITY[after.decisions[place]].value
        if after.decisions[place] > old[place]:
            why = tuple(grave_grounds(after, place))
        else:
            why = tuple(grave_grounds(before, place)) if before is not None else _rests(stored[place], flip[0])
        found.flips[flip] += 1
        found.by_tenant.setdefault(tenant, Counter())[flip] += 1
        for ground in why:
            found.by_ground.setdefault(ground, Counter())[flip] += 1
        if found.flips[flip] <= EXAMPLES:
            shown.append((place, flip, why))
    rows = batch.fetch(np.array([place for place, _, _ in shown], np.int64), ("id", "uri", "tenant")) if shown else ()
    for (_, flip, why), row in zip(shown, rows, strict=True):
        found.examples.setdefault(flip, []).append(Example(**row, grounds=why))


def _stored_reasons(batch: Batch, places: NDArray[np.int64]) -> dict[int, Any]:
    """The reasons that were given for some rows, by place."""
    rows = batch.fetch(places, ("reasons",)) if len(places) else ()
    return {place: row["reasons"] for place, row in zip(places.tolist(), rows, strict=True)}


def _rests(reasons: Sequence[Mapping[str, Any]] | None, decision: str) -> tuple[str, ...]:
    """What a decision that was given rested on."""
    return tuple(dict.fromkeys(grounds.of_reason(each) for each in reasons or () if each["decision"] == decision))
