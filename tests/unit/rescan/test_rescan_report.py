"""The page about a re-scan: right counts, nothing fetched, nothing trusted, nothing to be seen unless asked for."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from gatepost_server.domain.decision import Verdict
from gatepost_server.domain.errors import ErrorCode
from gatepost_server.policy.book import open_book
from gatepost_server.policy.judge import judge
from gatepost_server.rescan.failures import Failure
from gatepost_server.rescan.inputs import Input
from gatepost_server.rescan.job import Asked, Destination
from gatepost_server.rescan.plan import plan
from gatepost_server.rescan.report.write import write_report
from gatepost_server.rescan.rows import Content, row_of
from gatepost_server.rescan.run import Summary
from gatepost_server.rescan.schema import results_schema
from gatepost_server.rescan.sink import write_shard
from gatepost_server.rescan.stores.base import address
from tests.builders import evidence, line, request

NASTY = "<script>alert(1)</script>"


@pytest.fixture
def results(tmp_path):
    """A finished job of three images: one blocked, one allowed, one that is missing."""
    picture = tmp_path / "bad.png"
    stripes = Image.new("RGB", (640, 480), "white")
    for x in range(0, 640, 8):
        stripes.paste((0, 0, 0), (x, 0, x + 4, 480))
    stripes.save(picture)
    inputs = [
        Input(0, "bad", str(picture), str(picture)),
        Input(1, "good", "good.png", "good.png"),
        Input(2, "gone", f"{NASTY}.png", "gone.png"),
    ]
    seen = evidence({"insult": 0.97}, sources={"insult": "line:0"}, lines=[line(NASTY, insult=0.97)])
    answers = [verdict_of(seen), verdict_of(evidence()), Failure(ErrorCode.NOT_FOUND, "SOURCE_MISSING", "gone")]
    rows = [
        {"embedding": [0.0, 0.0]} | row_of(each, Content("ab" * 32, 1, "cd" * 16), answer)
        for each, answer in zip(inputs, answers, strict=True)
    ]
    destination = Destination(address(str(tmp_path / "out")))
    plan(destination, Asked(NASTY), inputs, shard_size=512, embedding_size=2, told=lambda _: None)
    write_shard(destination, 0, pa.Table.from_pylist(rows, schema=results_schema(2)))
    return tmp_path / "out"


SUMMARY = Summary(3, 3, {"BLOCK": 1, "ALLOW": 1}, {"SOURCE_MISSING": 1}, 0, 1, 0, 1.0, 1.0, 1.0)


def verdict_of(seen) -> Verdict:
    seen, judgement = judge(seen, request(), open_book().get(""))
    return Verdict("verdicts/1", "r", judgement, seen, 1_700_000_000.0, {})


def page_of(results, **how) -> str:
    write_report(address(str(results)), SUMMARY, **how)
    return (results / "report.html").read_text()


def pictures(page: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    return [Image.open(io.BytesIO(base64.b64decode(each))).convert("L") for each in found]


def test_counts_errors_and_histograms_are_there(results):
    page = page_of(results)
    assert "SOURCE_MISSING" in page
    assert "1 at 0.5 or more" in page
    assert page.count("<svg") == 12
    assert "33.333 %" in page


def test_what_comes_from_images_and_names_is_escaped_and_nothing_is_fetched(results):
    page = page_of(results)
    assert NASTY not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "default-src 'none'" in page


def test_the_worst_are_blurred_in_their_pixels_unless_somebody_wants_to_see_them(results):
    (blurred,) = pictures(page_of(results))
    (shown,) = pictures(page_of(results, revealed=True))
    assert steps(shown) > 5 * steps(blurred)


def steps(picture: Image.Image) -> float:
    """The mean difference of neighbours, across the stripes below the sheet's band."""
    pixels = np.asarray(picture, dtype=np.float64)[picture.height // 2 :]
    return float(np.abs(np.diff(pixels, axis=1)).mean())


def test_a_picture_that_is_gone_leaves_its_place_without_one(results):
    (results.parent / "bad.png").unlink()
    page = page_of(results)
    assert not pictures(page)
    assert "insult 0.97" in page


def test_counts_in_the_manifest_are_those_of_the_rows(results):
    entry = json.loads((results / "_gatepost/manifest/000000.json").read_text())
    assert entry["decisions"] == {"BLOCK": 1, "ALLOW": 1}
    assert entry["errors"] == {"SOURCE_MISSING": 1}
    assert (results / entry["file"]).stat().st_size == entry["size"]
    assert replace(SUMMARY, rows_before=1).images_per_s == 2.0
