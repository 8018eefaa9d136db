"""The parts of the clip stage that need no trained net (tests/integration/test_clip_weights.py has those that do)."""

import itertools
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from gatepost_server.stages.clip.calibration import Calibration
from gatepost_server.stages.clip.expand import content_hash, expanded
from gatepost_server.stages.clip.prompts import PromptSet, entry_vectors, raw_scores
from gatepost_server.stages.clip.questions import Questions
from gatepost_server.stages.clip.tiles import WHOLE, boxes, cut

PROMPTS = """
templates: {en: ["{}", "a picture of {}"], zh: ["{}"]}
categories:
  weapons: [{en: a gun, zh: 枪}, {en: a knife}]
  drugs: [{en: a syringe, zh: 注射器}]
negatives: [{en: a cake, zh: 蛋糕}]
"""


@pytest.fixture
def prompts_file(tmp_path):
    path = tmp_path / "prompts.yaml"
    path.write_text(PROMPTS, encoding="utf-8")
    return path


class CountingEncoder:
    """Stands for a model: every text has a vector of its own."""

    def __init__(self, folder):
        self.folder, self.calls = folder, 0

    def encode_texts(self, texts):
        self.calls += 1
        generator = np.random.default_rng(0)
        vectors = generator.normal(size=(len(texts), 8)).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


# tiles


@given(st.integers(1, 4000), st.integers(1, 4000), st.sampled_from([(0.6,), (0.6, 0.4), (1.0,), ()]))
def test_the_first_part_is_the_whole_and_all_parts_lie_inside(width, height, sides):
    parts = boxes(width, height, sides)
    assert parts[0] == WHOLE
    for x0, y0, x1, y1 in parts:
        assert 0 <= x0 < x1 <= 1 + 1e-9
        assert 0 <= y0 < y1 <= 1 + 1e-9


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_tiles_cover_the_picture_without_gaps(width, height):
    tiles = boxes(width, height, (0.5,))[1:]
    for low, high in ((0, 2), (1, 3)):
        intervals = sorted({(tile[low], tile[high]) for tile in tiles})
        assert intervals[0][0] == 0
        assert intervals[-1][1] == pytest.approx(1)
        assert all(left[1] > right[0] for left, right in itertools.pairwise(intervals))


def test_a_very_long_picture_gets_a_bounded_number_of_tiles():
    assert len(boxes(4000, 10, (0.6, 0.4))) <= 1 + 6 * 2 + 6 * 3


def test_a_part_shows_what_is_there():
    picture = np.zeros((100, 200, 3), dtype=np.uint8)
    picture[:, 100:] = (255, 0, 0)
    left, right = cut(picture, [(0.0, 0.0, 0.4, 1.0), (0.6, 0.0, 1.0, 1.0)], 8)
    assert left.max() == 0
    assert (right == (255, 0, 0)).all()


def test_a_single_pixel_can_be_cut():
    assert cut(np.zeros((1, 1, 3), dtype=np.uint8), boxes(1, 1, (0.6, 0.4)), 16).shape[1:] == (16, 16, 3)


# prompts and scores


def test_every_entry_is_asked_in_every_language_it_has(prompts_file):
    prompts = PromptSet.load(prompts_file)
    assert prompts.categories["weapons"][0] == ("a gun", "a picture of a gun", "枪")
    assert prompts.categories["weapons"][1] == ("a knife", "a picture of a knife")
    assert [len(entry) for entry in prompts.entries] == [3, 2, 3, 3]


def test_spans_say_which_entries_belong_to_which_category(prompts_file):
    assert PromptSet.load(prompts_file).spans() == (slice(0, 2), slice(2, 3), slice(3, 4))


def test_an_entry_is_the_mean_direction_of_its_texts():
    texts = torch.eye(3)
    vectors = entry_vectors(texts, [("a", "b"), ("c",)])
    assert vectors[0].tolist() == pytest.approx([0.5**0.5, 0.5**0.5, 0.0])
    assert vectors[1].tolist() == [0.0, 0.0, 1.0]


def test_a_picture_scores_in_the_category_that_it_looks_like(prompts_file):
    entries = torch.eye(4)  # gun, knife, syringe, cake
    pictures = torch.eye(4)
    raw = raw_scores(pictures, entries, PromptSet.load(prompts_file).spans(), 20.0)
    weapons, drugs = raw[:, 0], raw[:, 1]
    assert (weapons[:2] > 10).all()
    assert weapons[3] < -10
    assert drugs.argmax() == 2


def test_questions_are_encoded_once_and_kept(prompts_file, tmp_path):
    encoder = CountingEncoder(tmp_path)
    first = Questions.ask(encoder, prompts_file)
    second = Questions.ask(encoder, prompts_file)
    assert encoder.calls == 1
    np.testing.assert_array_equal(first.entries, second.entries)


def test_changed_prompts_are_asked_anew(prompts_file, tmp_path):
    encoder = CountingEncoder(tmp_path)
    Questions.ask(encoder, prompts_file)
    prompts_file.write_text(PROMPTS.replace("a knife", "a sword"), encoding="utf-8")
    Questions.ask(encoder, prompts_file)
    assert encoder.calls == 2


# calibration


def test_a_calibrated_score_is_a_probability_that_grows_with_the_raw_score(tmp_path):
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps({"categories": {"weapons": {"slope": 2.0, "intercept": -4.0}}}))
    chances = Calibration.load(path).probability("weapons", np.array([-1e9, 0, 2, 1e9], dtype=np.float32))
    assert chances[2] == pytest.approx(0.5)
    assert (np.diff(chances) > 0).all()
    assert 0 <= chances[0] < 1e-6
    assert 1 - 1e-6 < chances[3] <= 1


# the shipped folder


@pytest.fixture
def packed(tmp_path):
    folder = tmp_path / "packed"
    folder.mkdir()
    block = np.concatenate([np.array([1.0], dtype=np.float16).view(np.uint8), np.full(16, 0x99, dtype=np.uint8)])
    save_file({"text.a": block[np.newaxis]}, folder / "one.safetensors")
    save_file({"visual.b": np.arange(3, dtype=np.float16)}, folder / "two.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": {"text_cfg": {"hf_model_name": "."}}}))
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_text("{}")
    return folder


def test_expanding_joins_the_files_and_opens_the_blocks(packed, tmp_path):
    folder = expanded(packed, tmp_path / "cache")
    state = load_file(folder / "open_clip_model.safetensors")
    assert state["text.a"].tolist() == [[1.0] * 32]
    assert state["visual.b"].tolist() == [0.0, 1.0, 2.0]
    config = json.loads((folder / "open_clip_config.json").read_text())
    assert config["model_cfg"]["text_cfg"]["hf_model_name"] == str(folder)


def test_what_is_expanded_already_is_left_alone(packed, tmp_path):
    first = expanded(packed, tmp_path / "cache")
    written = (first / "open_clip_model.safetensors").stat().st_mtime_ns
    assert expanded(packed, tmp_path / "cache") == first
    assert (first / "open_clip_model.safetensors").stat().st_mtime_ns == written


def test_other_weights_get_another_folder(packed, tmp_path):
    before = content_hash(packed)
    save_file({"visual.b": np.ones(3, dtype=np.float16)}, packed / "two.safetensors")
    assert content_hash(packed) != before


def test_a_cache_that_cannot_be_written_is_an_error(packed, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        expanded(packed, tmp_path / "file")
