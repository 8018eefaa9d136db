"""Finding OCR weights and their alphabets."""

import hashlib

import pytest
import yaml

from gatepost_server.engines.weights import characters, find_weights


def test_paddleocr_model_names_are_found_in_the_rapidocr_package():
    weights = find_weights("PP-OCRv6_small_rec")
    assert weights.name == "PP-OCRv6_small_rec"
    assert weights.version == hashlib.sha256(weights.path.read_bytes()).hexdigest()[:12]


def test_the_bundled_alphabet_comes_from_the_file_itself():
    alphabet = characters(find_weights("PP-OCRv6_small_rec"))
    assert len(alphabet) == 18708
    assert {"年", "A", "!"} <= set(alphabet)
    assert " " not in alphabet


def test_a_paddleocr_folder_names_its_model_and_its_alphabet(tmp_path):
    (tmp_path / "inference.onnx").write_bytes(b"net")
    config = {"Global": {"model_name": "PP-OCRv9_huge_rec"}, "PostProcess": {"character_dict": ["新", 1]}}
    (tmp_path / "inference.yml").write_text(yaml.safe_dump(config))
    weights = find_weights(str(tmp_path))
    assert (weights.name, weights.path) == ("PP-OCRv9_huge_rec", tmp_path / "inference.onnx")
    assert characters(weights) == ["新", "1"]


def test_a_model_file_is_taken_as_it_is(tmp_path):
    file = tmp_path / "mine.onnx"
    file.write_bytes(b"net")
    assert find_weights(str(file)).name == "mine"


def test_weights_that_are_nowhere_are_named_in_the_error():
    with pytest.raises(FileNotFoundError, match="PP-OCRv99_det"):
        find_weights("PP-OCRv99_det")
