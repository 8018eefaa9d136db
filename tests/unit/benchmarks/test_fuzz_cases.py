"""The fuzzer's own parts: seeded files, damage, bombs, sampling, and the report."""

from __future__ import annotations

import io
import random
import re
from collections import Counter

import pytest
from PIL import Image

from benchmarks.fuzz import report
from benchmarks.fuzz.bombs import bombs
from benchmarks.fuzz.cases import FORMATS, distinct, sample
from benchmarks.fuzz.damage import damaged, mended, mutate
from benchmarks.fuzz.guided import Guided
from benchmarks.fuzz.seeds import seeds
from benchmarks.fuzz.served import Served
from benchmarks.fuzz.tally import Tally

SEEDS = seeds()


def test_seeds_are_valid_and_of_every_format() -> None:
    assert {case.format for case in SEEDS} == set(FORMATS)
    for case in SEEDS:
        with Image.open(io.BytesIO(case.data), formats=[case.format]) as image:
            image.load()


def test_the_same_seed_damages_in_the_same_way_and_another_does_not() -> None:
    one, again, other = ([case.data for case in damaged(SEEDS[:3], 2, seed)] for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_every_format_is_damaged_in_every_way() -> None:
    made = Counter((case.format, case.kind) for case in damaged(SEEDS, 1, 1))
    ways = {kind for _, kind in made}
    assert len(ways) == 8
    assert set(made) == {(form, way) for form in FORMATS for way in ways}


def test_a_mended_png_has_right_checksums_again() -> None:
    whole = next(case.data for case in SEEDS if case.format == "PNG")
    broken = whole.replace(b"IHDR\0\0\0\x60", b"IHDR\0\0\0\x20")
    with pytest.raises(OSError, match="cannot identify"):
        Image.open(io.BytesIO(broken)).load()
    with Image.open(io.BytesIO(mended(broken))) as image:
        assert image.width == 32
    assert mended(b"no PNG") == b"no PNG"


def test_a_mutation_is_another_file_of_the_same_kind_most_times() -> None:
    rng = random.Random(0)
    assert sum(mutate(SEEDS[0].data, rng) != SEEDS[0].data for _ in range(50)) > 40


def test_bombs_are_small_distinct_and_of_every_format() -> None:
    made = list(bombs())
    assert {case.format for case in made} == set(FORMATS)
    assert len({case.key for case in made}) > 150
    assert max(len(case.data) for case in made) <= 21 << 20


def test_a_sample_has_some_of_every_format_and_kind() -> None:
    cases = list(distinct(damaged(SEEDS, 3, 1)))
    drawn = sample(cases, 120, 5)
    assert {(case.format, case.kind) for case in drawn} == {(case.format, case.kind) for case in cases}
    assert len(drawn) <= 120
    assert drawn == sample(cases, 120, 5)


def tally() -> Tally:
    found = Tally(before_mb=20.0, after_mb=21.0, slowest_s=0.5)
    found.refused["PNG", "bomb"] = 3
    found.taken["PNG", "bomb"] = 1
    return found


def figures(found: Tally, served: Served | None, bad_allows: list[str] | None = None) -> dict[str, bool | None]:
    runs = [Guided("wire", 100, 1, 10, True, "")]
    return {each.name: each.met for each in report.targets(found, runs, served, bad_allows or [], 60.0)}


def test_each_kind_of_failure_misses_its_target() -> None:
    good = Served(decisions={"refused": 5}, before_mb=20.0, after_mb=20.0)
    assert [name for name, met in figures(tally(), good).items() if met is False] == ["hostile images"]  # only four
    crashed, hanging, untyped, wrong, grown = (tally() for _ in range(5))
    crashed.faults["crash"].append("x")
    hanging.faults["hang"].append("x")
    untyped.faults["untyped"].append("x")
    wrong.undecodable.append("x")
    grown.after_mb = 25.0
    assert figures(crashed, good)["crashes"] is False
    assert figures(hanging, good)["hangs"] is False
    assert figures(untyped, good)["answers that are neither pixels nor a typed refusal"] is False
    assert figures(wrong, good)["undecodable, but taken by the decode step"] is False
    assert figures(grown, good)["decoder's memory after all images"] is False
    assert figures(tally(), good, ["x"])["undecodable, but ALLOW"] is False
    assert figures(tally(), Served(restarts=1, before_mb=20.0, after_mb=20.0))["crashes"] is False


def test_the_section_replaces_itself_and_leaves_the_others(tmp_path, monkeypatch) -> None:
    document = tmp_path / "reliability.md"
    monkeypatch.setattr(report, "DOCUMENT", document)
    document.write_text("# Reliability\n\n## Faults\n\none\n\n## Bad images\n\nold\n\n## Last\n\ntwo\n")
    section = report.section(report.targets(tally(), [], None, [], 60.0), tally(), None, [])
    for _ in range(2):
        report.into_document(section)
    text = document.read_text()
    assert re.findall("^## .*", text, re.MULTILINE) == ["## Faults", "## Bad images", "## Last"]
    assert "old" not in text
    assert "| bomb |  | 3 / 1 |" in text
    assert "two" in text
