"""The model repository keeps the tensor contract, and its Python is nothing but shells."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from gatepost_server.serving.repository import INSTANCES
from gatepost_server.tensors import contract

REPOSITORY = Path(__file__).parents[2] / "model_repository"
STAGES = {stage.model: stage for stage in contract.STAGES}
MERGED = {model: stage for model, stage in STAGES.items() if model != "ocr_detect"} | {
    "ocr_recognize": contract.MERGED_OCR
}


def read(model):
    text = (REPOSITORY / model / "config.pbtxt").read_text()
    return text_format.Parse(text, model_config_pb2.ModelConfig())


def read_merged(model):
    """The layout merged_ocr's configuration of the model, or the usual one where it has none."""
    file = REPOSITORY / model / "configs" / "merged_ocr.pbtxt"
    return text_format.Parse(file.read_text(), model_config_pb2.ModelConfig()) if file.exists() else read(model)


def tensors(declared):
    return [(each.name, model_config_pb2.DataType.Name(each.data_type), tuple(each.dims)) for each in declared]


def expected(declared):
    return [(each.name, each.dtype, each.dims) for each in declared]


def test_the_repository_holds_every_stage_and_the_ensemble_and_nothing_else():
    assert {folder.name for folder in REPOSITORY.iterdir()} == {*STAGES, contract.ENSEMBLE}


@pytest.mark.parametrize("model", STAGES)
class TestEveryStep:
    def test_takes_and_gives_the_tensors_of_the_contract(self, model):
        config = read(model)
        assert config.name == model
        assert tensors(config.input) == expected(STAGES[model].inputs)
        assert tensors(config.output) == expected([*STAGES[model].outputs, STAGES[model].report])

    def test_lets_requests_of_different_sizes_share_a_batch(self, model):
        for each in read(model).input:
            assert each.allow_ragged_batch == (-1 in each.dims), each.name

    def test_batches_by_priority_without_waiting_for_a_preferred_size(self, model):
        config = read(model)
        assert 8 <= config.max_batch_size <= 32
        assert config.HasField("dynamic_batching")
        assert config.dynamic_batching.priority_levels == 3
        assert config.dynamic_batching.default_priority_level == 2
        assert not config.dynamic_batching.preferred_batch_size

    def test_has_instances_that_settings_can_change(self, model):
        assert len(INSTANCES.findall((REPOSITORY / model / "config.pbtxt").read_text())) == 1

    def test_warms_up_with_inputs_of_its_own(self, model):
        config = read(model)
        declared = {each.name: each for each in config.input}
        for sample in config.model_warmup:
            assert sample.inputs.keys() == declared.keys()
            for name, given in sample.inputs.items():
                assert given.data_type == declared[name].data_type
                assert len(given.dims) == len(declared[name].dims)
                assert all(want in (-1, got) for want, got in zip(declared[name].dims, given.dims, strict=True)), name

    def test_is_a_shell_that_names_its_stage_and_does_nothing_else(self, model):
        body = ast.parse((REPOSITORY / model / "1" / "model.py").read_text()).body
        docstring, shell, stage, entry = body
        assert isinstance(docstring, ast.Expr)
        assert isinstance(shell, ast.ImportFrom)
        assert shell.module == "gatepost_server.serving.shell"
        assert isinstance(stage, ast.ImportFrom)
        assert stage.module == f"gatepost_server.stages.{model}"
        assert isinstance(entry, ast.ClassDef)
        assert entry.name == "TritonPythonModel"
        assert [ast.unparse(line) for line in entry.body] == [f"stage_type = {stage.names[0].name}"]


class TestTheEnsemble:
    def test_takes_and_gives_the_tensors_of_the_contract(self):
        config = read(contract.ENSEMBLE)
        assert config.name == contract.ENSEMBLE
        assert tensors(config.input) == expected(contract.ENSEMBLE_INPUTS)
        assert tensors(config.output) == expected(contract.ENSEMBLE_OUTPUTS)

    def test_is_scheduling_only(self):
        config = read(contract.ENSEMBLE)
        assert config.platform == "ensemble"
        assert {path.name for path in (REPOSITORY / contract.ENSEMBLE / "1").iterdir()} == {".gitkeep"}

    def test_connects_every_input_and_output_of_every_step(self):
        steps = {step.model_name: step for step in read(contract.ENSEMBLE).ensemble_scheduling.step}
        assert list(steps) == list(STAGES)
        for model, stage in STAGES.items():
            assert set(steps[model].input_map) == {each.name for each in stage.inputs}
            assert set(steps[model].output_map) == {each.name for each in (*stage.outputs, stage.report)}

    def test_gives_every_tensor_one_source_and_leaves_none_unused(self):
        config = read(contract.ENSEMBLE)
        steps = config.ensemble_scheduling.step
        made = [each.name for each in config.input] + [name for step in steps for name in step.output_map.values()]
        used = {name for step in steps for name in step.input_map.values()} | {each.name for each in config.output}
        assert len(made) == len(set(made))
        assert set(made) == used

    def test_connects_tensors_of_one_type_and_shape_only(self):
        """The same name means the same tensor on both sides of every wire."""
        config = read(contract.ENSEMBLE)
        kinds = {}
        for model in (*STAGES, contract.ENSEMBLE):
            for name, dtype, dims in (*tensors(read(model).input), *tensors(read(model).output)):
                assert kinds.setdefault(name, (dtype, dims)) == (dtype, dims), name
        for step in config.ensemble_scheduling.step:
            for inside, outside in (*step.input_map.items(), *step.output_map.items()):
                assert inside == outside


class TestTheLayoutWithOneStepForOcr:
    def test_has_one_step_in_place_of_two(self):
        steps = {step.model_name: step for step in read_merged(contract.ENSEMBLE).ensemble_scheduling.step}
        assert list(steps) == list(MERGED)
        for model, stage in MERGED.items():
            assert set(steps[model].input_map) == {each.name for each in stage.inputs}
            assert set(steps[model].output_map) == {each.name for each in (*stage.outputs, stage.report)}

    def test_takes_and_gives_what_the_other_takes_and_gives(self):
        usual, merged = read(contract.ENSEMBLE), read_merged(contract.ENSEMBLE)
        assert tensors(merged.input) == tensors(usual.input)
        assert tensors(merged.output) == tensors(usual.output)
        config = read_merged("ocr_recognize")
        assert tensors(config.input) == expected(contract.MERGED_OCR.inputs)
        assert tensors(config.output) == expected([*contract.MERGED_OCR.outputs, contract.MERGED_OCR.report])

    def test_names_the_file_that_is_its_shell(self):
        config = read_merged("ocr_recognize")
        body = ast.parse((REPOSITORY / "ocr_recognize" / "1" / config.default_model_filename).read_text()).body
        assert [ast.unparse(line) for line in body[1:3]] == [
            "from gatepost_server.serving.merged_ocr import MergedOcr",
            "from gatepost_server.serving.shell import StageShell",
        ]
        assert [ast.unparse(line) for line in body[3].body] == ["stage_type = MergedOcr"]

    def test_has_instances_that_settings_can_change(self):
        text = (REPOSITORY / "ocr_recognize" / "configs" / "merged_ocr.pbtxt").read_text()
        assert len(INSTANCES.findall(text)) == 1
