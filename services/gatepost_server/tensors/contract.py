"""Every tensor between Triton's steps: name, Triton data type, dims without the batch dimension.

tests/contract holds every model_repository/*/config.pbtxt against this file. -1 is a variable
dimension; such inputs allow ragged batches. V views, L lines, K crops, P polygon points, C categories.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost_server.domain.labels import CATEGORIES, StageName

CROP_HEIGHT = 48  # pixels; the PP-OCR recognisers' input height


@dataclass(frozen=True, slots=True)
class Tensor:
    """One named tensor; dims are those of config.pbtxt."""

    name: str
    dtype: str
    dims: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ModelContract:
    """What one Triton model takes and gives."""

    model: StageName
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def report(self) -> Tensor:
        """The stage's own account (JSON, see tensors.reports); the shell adds it to the outputs."""
        return Tensor(f"{self.model.upper()}_REPORT", "TYPE_STRING", (1,))


C = len(CATEGORIES)

# What a caller of the ensemble sends.
IMAGE = Tensor("IMAGE", "TYPE_STRING", (1,))  # the encoded file
PROMPT = Tensor("PROMPT", "TYPE_STRING", (1,))  # UTF-8, empty where there is none
EXPECTED = Tensor("EXPECTED", "TYPE_STRING", (-1,))  # UTF-8, one entry a text that was asked for

# decode. Both pixel tensors are RGB; every view of a request has the same size.
OCR_PIXELS = Tensor("OCR_PIXELS", "TYPE_UINT8", (-1, -1, -1, 3))  # V, height, width
CLIP_PIXELS = Tensor("CLIP_PIXELS", "TYPE_UINT8", (-1, -1, -1, 3))  # V, height, width
IMAGE_FACTS = Tensor("IMAGE_FACTS", "TYPE_STRING", (1,))  # JSON of domain.evidence.ImageFacts

# ocr_detect. Polygon points are fractions of the image's width and height.
CROPS = Tensor("CROPS", "TYPE_UINT8", (CROP_HEIGHT, -1, 3))  # all crops of a request side by side, RGB
CROP_WIDTHS = Tensor("CROP_WIDTHS", "TYPE_INT32", (-1,))  # K, their sum is CROPS' width
CROP_LINES = Tensor("CROP_LINES", "TYPE_INT32", (-1,))  # K, the line that each crop is a reading of
POLYGON_POINTS = Tensor("POLYGON_POINTS", "TYPE_FP32", (-1, 2))  # P, all polygons one after another
POLYGON_SIZES = Tensor("POLYGON_SIZES", "TYPE_INT32", (-1,))  # L, points of each polygon
LINE_VIEWS = Tensor("LINE_VIEWS", "TYPE_INT32", (-1,))  # L

# ocr_recognize. A line that could not be read has an empty text and confidence 0.
TEXTS = Tensor("TEXTS", "TYPE_STRING", (-1,))  # L
TEXT_CONFIDENCES = Tensor("TEXT_CONFIDENCES", "TYPE_FP32", (-1,))  # L

# text_toxicity
NORMALIZED_TEXTS = Tensor("NORMALIZED_TEXTS", "TYPE_STRING", (-1,))  # L
LANGUAGES = Tensor("LANGUAGES", "TYPE_STRING", (-1,))  # L
LINE_SCORES = Tensor("LINE_SCORES", "TYPE_FP32", (-1, C))  # L, probabilities
LINE_EXPECTED = Tensor("LINE_EXPECTED", "TYPE_FP32", (-1,))  # L, similarity; -1 where nothing was asked for
LINE_MATCHES = Tensor("LINE_MATCHES", "TYPE_STRING", (-1,))  # L, "category:term" joined by newlines
JOINED_TEXT = Tensor("JOINED_TEXT", "TYPE_STRING", (1,))
JOINED_SCORES = Tensor("JOINED_SCORES", "TYPE_FP32", (C,))  # the worst of the lines read together

# clip
IMAGE_SCORES = Tensor("IMAGE_SCORES", "TYPE_FP32", (C,))  # probabilities; 0 where CLIP judges no such category
IMAGE_REGIONS = Tensor("IMAGE_REGIONS", "TYPE_FP32", (C, 4))  # x0, y0, x1, y1 as fractions, of the worst tile
PROMPT_SIMILARITY = Tensor("PROMPT_SIMILARITY", "TYPE_FP32", (1,))  # cosine; NaN without a prompt
EMBEDDING = Tensor("EMBEDDING", "TYPE_FP32", (-1,))  # unit length, of the first view

# fusion
SCORES = Tensor("SCORES", "TYPE_FP32", (C,))
SCORE_SOURCES = Tensor("SCORE_SOURCES", "TYPE_STRING", (C,))  # as domain.evidence.Fused.source

DECODE = ModelContract(StageName.DECODE, (IMAGE,), (OCR_PIXELS, CLIP_PIXELS, IMAGE_FACTS))
OCR_DETECT = ModelContract(
    StageName.OCR_DETECT,
    (OCR_PIXELS,),
    (CROPS, CROP_WIDTHS, CROP_LINES, POLYGON_POINTS, POLYGON_SIZES, LINE_VIEWS),
)
OCR_RECOGNIZE = ModelContract(StageName.OCR_RECOGNIZE, (CROPS, CROP_WIDTHS, CROP_LINES), (TEXTS, TEXT_CONFIDENCES))
TEXT_TOXICITY = ModelContract(
    StageName.TEXT_TOXICITY,
    (TEXTS, TEXT_CONFIDENCES, POLYGON_POINTS, POLYGON_SIZES, LINE_VIEWS, EXPECTED),
    (NORMALIZED_TEXTS, LANGUAGES, LINE_SCORES, LINE_EXPECTED, LINE_MATCHES, JOINED_TEXT, JOINED_SCORES),
)
CLIP = ModelContract(StageName.CLIP, (CLIP_PIXELS, PROMPT), (IMAGE_SCORES, IMAGE_REGIONS, PROMPT_SIMILARITY, EMBEDDING))
FUSION = ModelContract(
    StageName.FUSION,
    (NORMALIZED_TEXTS, TEXT_CONFIDENCES, LINE_SCORES, LINE_EXPECTED, JOINED_SCORES, IMAGE_SCORES),
    (SCORES, SCORE_SOURCES),
)

# The repository's other layout (serving.repository): one step finds the lines and reads them, so that crops stay in one
# process. It answers for both: the detector's report is among its outputs.
MERGED_OCR = ModelContract(
    StageName.OCR_RECOGNIZE,
    OCR_DETECT.inputs,
    (POLYGON_POINTS, POLYGON_SIZES, LINE_VIEWS, *OCR_RECOGNIZE.outputs, OCR_DETECT.report),
)

STAGES: tuple[ModelContract, ...] = (DECODE, OCR_DETECT, OCR_RECOGNIZE, TEXT_TOXICITY, CLIP, FUSION)

ENSEMBLE = "moderate"
ENSEMBLE_INPUTS: tuple[Tensor, ...] = (IMAGE, PROMPT, EXPECTED)
ENSEMBLE_OUTPUTS: tuple[Tensor, ...] = (
    IMAGE_FACTS,
    POLYGON_POINTS,
    POLYGON_SIZES,
    LINE_VIEWS,
    TEXTS,
    TEXT_CONFIDENCES,
    NORMALIZED_TEXTS,
    LANGUAGES,
    LINE_SCORES,
    LINE_EXPECTED,
    LINE_MATCHES,
    JOINED_TEXT,
    JOINED_SCORES,
    IMAGE_SCORES,
    IMAGE_REGIONS,
    PROMPT_SIMILARITY,
    EMBEDDING,
    SCORES,
    SCORE_SOURCES,
    *(stage.report for stage in STAGES),
)
