"""The model repository with instance counts of the operator's own, and in other layouts."""

from __future__ import annotations

import pytest

from gatepost_server.serving.repository import RepositoryError, arranged


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
    assert arranged(repository, into, instances={}) == repository
    assert not list(into.iterdir())


def test_a_count_changes_that_line_and_nothing_else(repository, into):
    changed = arranged(repository, into, instances={"clip": 3})
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
        arranged(repository, into, instances=instances)


@pytest.fixture
def layouts(repository):
    """The ensemble calls both models, and in the layout `fat` a clip of another configuration alone."""
    for model, name, config in (
        ("moderate", "config.pbtxt", 'model_name: "decode"\nmodel_name: "clip"\n'),
        ("moderate", "configs/fat.pbtxt", 'model_name: "clip"\n'),
        ("clip", "configs/fat.pbtxt", "fat\ninstance_group [ { kind: KIND_AUTO count: 1 } ]\n"),
    ):
        (repository / model / name).parent.mkdir(exist_ok=True)
        (repository / model / name).write_text(config)
    return repository


def test_a_layout_has_configurations_of_its_own_and_no_model_that_nobody_calls(layouts, into):
    changed = arranged(layouts, into, layout="fat", instances={"clip": 2})
    assert {model.name for model in changed.iterdir()} == {"clip", "moderate"}
    assert (changed / "clip" / "config.pbtxt").read_text() == "fat\ninstance_group [ { kind: KIND_AUTO count: 2 } ]\n"
    assert (changed / "moderate" / "config.pbtxt").read_text() == 'model_name: "clip"\n'
    assert (changed / "clip" / "1" / "model.py").read_text() == "clip"


def test_without_a_layout_others_configurations_change_nothing(layouts, into):
    assert arranged(layouts, into, instances={}) == layouts


def test_an_unknown_layout_is_refused(layouts, into):
    with pytest.raises(RepositoryError, match="thin"):
        arranged(layouts, into, layout="thin", instances={"clip": 2})


def test_a_model_that_the_layout_left_out_has_no_instances(layouts, into):
    with pytest.raises(RepositoryError, match="no model named decode"):
        arranged(layouts, into, layout="fat", instances={"decode": 2})
