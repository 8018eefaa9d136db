"""The two OCR stages with the real weights, beside paddleocr itself on the same weights."""

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.paddle_reference import PaddleReference
from gatepost_server.stages.ocr_detect import OcrDetect
from gatepost_server.stages.ocr_recognize import OcrRecognize
from gatepost_server.tensors.check import first_breach

FOLDER = Path(__file__).parents[1] / "data" / "ocr"
SAID = json.loads((FOLDER / "texts.json").read_text(encoding="utf-8"))
CPU = {"device": "cpu"}

pytestmark = pytest.mark.integration


def pixels(name):
    return np.asarray(Image.open(FOLDER / f"{name}.jpg").convert("RGB"))


def bare(text):
    """Letters and digits alone, as spaces are the recogniser's to guess."""
    return "".join(character for character in unicodedata.normalize("NFKC", text) if character.isalnum())


@pytest.fixture(scope="module")
def detector():
    return OcrDetect(CPU)


@pytest.fixture(scope="module")
def recognizer():
    return OcrRecognize(CPU)


@pytest.fixture(scope="module")
def read(detector, recognizer):
    """Texts of one image with any number of views."""

    def texts(*views):
        (found,) = detector.run([{"OCR_PIXELS": np.stack(views)}])
        (result,) = recognizer.run([found.arrays])
        assert first_breach(OcrRecognize.contract.outputs, result.arrays) is None
        return [text.decode() for text in result.arrays["TEXTS"]]

    return texts


@pytest.mark.parametrize("name", SAID)
def test_the_cards_are_read(read, name):
    assert sorted(map(bare, read(pixels(name)))) == sorted(map(bare, SAID[name]))


@pytest.mark.filterwarnings("ignore")  # paddlex warns of its own dependencies
def test_plain_and_vertical_text_reads_as_in_paddleocr(read, tmp_path):
    reference = PaddleReference(tmp_path)
    for name in ("plain", "vertical"):
        expected = [line.text for line in reference.read(pixels(name))]
        assert sorted(read(pixels(name))) == sorted(expected)


def test_small_print_stays_readable_on_a_large_picture(read):
    large = np.full((2048, 2048, 3), 240, dtype=np.uint8)
    large[900:1924, 100:1124] = pixels("tiny")
    assert set(map(bare, SAID["tiny"])) <= set(map(bare, read(large)))


def test_frames_that_share_their_text_are_read_once(read):
    dimmed = (pixels("plain") * 0.98).astype(np.uint8)
    assert sorted(map(bare, read(pixels("plain"), dimmed))) == sorted(map(bare, SAID["plain"]))


def test_a_batch_reads_as_its_images_alone(detector, recognizer):
    items = [{"OCR_PIXELS": pixels(name)[None]} for name in SAID]
    together = recognizer.run([result.arrays for result in detector.run(items)])
    for item, batched in zip(items, together, strict=True):
        (alone,) = recognizer.run([detector.run([item])[0].arrays])
        assert alone.arrays["TEXTS"].tolist() == batched.arrays["TEXTS"].tolist()
        assert np.array_equal(alone.arrays["TEXT_CONFIDENCES"], batched.arrays["TEXT_CONFIDENCES"])


@pytest.mark.parametrize("engine", ["onnxruntime", "torch"])
def test_other_engines_read_the_same(engine):
    parameters = {**CPU, "engine": engine}
    detector, recognizer = OcrDetect(parameters), OcrRecognize(parameters)
    (found,) = detector.run([{"OCR_PIXELS": pixels("vertical")[None]}])
    (result,) = recognizer.run([found.arrays])
    assert sorted(text.decode() for text in result.arrays["TEXTS"]) == sorted(SAID["vertical"])


@pytest.mark.parametrize("shape", [(1, 1), (1, 2048), (2048, 32), (300, 300)])
@pytest.mark.parametrize("level", [0, 255])
def test_pictures_with_nothing_on_them_have_no_lines(read, shape, level):
    assert read(np.full((*shape, 3), level, dtype=np.uint8)) == []


def test_noise_is_no_text(read):
    assert read(np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)) == []
