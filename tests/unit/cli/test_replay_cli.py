"""gatepostd replay, find and bank: what an operator types, on results and a bank of a disk."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from typer.testing import CliRunner

from gatepost_server.cli.app import app
from gatepost_server.policy.book import open_book
from tests.builders import evidence, line, request
from tests.unit.policy.policy_text import content
from tests.unit.rescan.random_results import stored
from tests.unit.rescan.stored_results import write_results

CARD = open_book().get("greeting-card")


@pytest.fixture
def results(tmp_path):
    seen = [evidence(lines=[line("祝你草 泥 馬")]), evidence({"hate": 0.45}), evidence()]
    rows = [stored(place, each, request(), CARD) for place, each in enumerate(seen)]
    return write_results(tmp_path / "results", rows)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs gatepostd with a bank of this test's own; what it printed, wide enough for every table."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("GATEPOST_GATEWAY_BANK", str(tmp_path / "bank.db"))

    def run(*arguments: str, code: int = 0) -> str:
        answer = CliRunner().invoke(app, list(arguments))
        assert answer.exit_code == code, answer.output
        return answer.output

    return run


def test_replay_says_what_flips_and_writes_the_page(run, results, tmp_path):
    tried = tmp_path / "tried.yaml"
    tried.write_text(yaml.safe_dump(content(thresholds={"hate": {"review": 0.4, "block": 0.9}})), encoding="utf-8")
    said = run("replay", results, "--policy", str(tried), "--html", str(tmp_path / "flips.html"))
    assert "1 of 3 decisions flip: 33.333%" in said
    assert "ALLOW to REVIEW: cards/1.png (default)" in said
    assert "cards/1.png" in (tmp_path / "flips.html").read_text(encoding="utf-8")


def test_replay_against_another_policy_leaves_the_decisions_that_were_given_aside(run, results, tmp_path):
    tried = tmp_path / "tried.yaml"
    tried.write_text(yaml.safe_dump(content()), encoding="utf-8")
    assert "0 of 3 decisions flip" in run("replay", results, "--policy", str(tried), "--against", str(tried))


def test_a_policy_that_cannot_be_used_is_said_in_a_line(run, results, tmp_path):
    (tmp_path / "wrong.yaml").write_text("name: wrong\n")
    assert "wrong.yaml: description" in run("replay", results, "--policy", str(tmp_path / "wrong.yaml"), code=1)


def test_where_a_found_image_is_can_be_read_in_a_narrow_window_too(run, results, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    said = run("find", results, "--text", "草泥马")
    assert "…" not in "".join(row.split("│")[1] for row in said.splitlines() if row.startswith("│"))


def test_find_lists_images_by_text_and_by_hash(run, results):
    said = run("find", results, "--text", "草泥马")
    assert "cards/0.png" in said
    assert "cards/1.png" not in said
    assert "3 images" in run("find", results, "--phash", "cd" * 32)


def test_find_tells_machines_all_of_them_a_line_each(run, results):
    found = [
        json.loads(line) for line in run("find", results, "--phash", "cd" * 32, "--json", "--limit", "1").splitlines()
    ]
    assert len(found) == 3
    assert {row["likeness"] for row in found} == {"pdq"}
    assert all(row["uri"] and row["decision"] for row in found)


@pytest.mark.parametrize("asked", [(), ("--text", "ass"), ("--phash", "12")])
def test_find_refuses_what_would_find_nothing_or_everything(run, results, asked):
    assert "gatepostd: " in run("find", results, *asked, code=1)


def test_an_example_is_tried_added_listed_previewed_and_removed(run, results):
    tried = run("bank", "add", "--label", "insult", "--text", "草泥马", "--preview", results)
    assert "cards/0.png" in tried
    assert "草泥马" not in run("bank", "list", "--audit")
    name = run("bank", "add", "--label", "insult", "--text", "草泥马", "--by", "wang", "--days", "7").strip()
    assert re.fullmatch("[0-9a-f]{12}", name)
    listed = run("bank", "list")
    assert name in listed
    assert "wang" in listed
    assert "cards/0.png" in run("bank", "preview", results, name)
    run("bank", "remove", name, "--by", "li")
    assert name not in run("bank", "list")
    audit = run("bank", "list", "--audit")
    assert re.search(rf"wang.*added.*{name}", audit)
    assert re.search(rf"li.*removed.*{name}", audit)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("add", "--label", "insult"), "say what to look for"),
        (("add", "--label", "off_script", "--text", "万事如意"), "off_script"),
        (("remove", "nothing"), "there is no example 'nothing'"),
        (("preview", "nowhere", "nothing"), "there is no example 'nothing'"),
    ],
)
def test_mistakes_are_said_in_a_line(run, wrong, said):
    assert said in run("bank", *wrong, code=1)
