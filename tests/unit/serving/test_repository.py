"""The model repository with instance counts of the operator's own."""

from __future__ import annotations

import pytest

from gatepost_server.serving.repository import RepositoryError, with_instances


@pytest.fixture
def repository(tmp_path):
    for model, line in {
        "clip": "instance_group [ { kind: KIND_AUTO count: 1 } ]",
        "decode": "instance_group [ { kind: KIND_CPU count: 1 } ]",
        "moderate": 'platform: "ensemble"',
    }.items():
        (tmp_path / "repository" / model / "1").mkdir(parents=True)
        (tmp_path / "repository" / model / "1" / "model.py").write_text(model)
        (tmp_path / "repository" / model / "config.pbtxt").write_text(f'name: "{model}"\n{line}\nmax_batch_size: 8\n')
    return tmp_path / "repository"


@pytest.fixture
def into(tmp_path):
    (tmp_path / "into").mkdir()
    return tmp_path / "into"


def test_without_counts_the_repository_is_used_as_it_is(repository, into):
    assert with_instances(repository, {}, into) == repository
    assert not list(into.iterdir())


def test_a_count_changes_that_line_and_nothing_else(repository, into):
    changed = with_instances(repository, {"clip": 3}, into)
    assert (changed / "clip" / "config.pbtxt").read_text() == (
        'name: "clip"\ninstance_group [ { kind: KIND_AUTO count: 3 } ]\nmax_batch_size: 8\n'
    )
    assert (changed / "clip" / "1" / "model.py").read_text() == "clip"
    assert (changed / "decode").resolve() == repository / "decode"
    assert "count: 1" in (repository / "clip" / "config.pbtxt").read_text()


@pytest.mark.parametrize(
    ("instances", "complaint"),
    [({"lunch": 1}, "no model named lunch"), ({"clip": 0}, "at least 1"), ({"moderate": 2}, "no instances to count")],
)
def test_counts_that_make_no_sense_are_refused(repository, into, instances, complaint):
    with pytest.raises(RepositoryError, match=complaint):
        with_instances(repository, instances, into)
