"""What the loop and the command ask of every training task."""

import inspect

import pytest

from forensic.errors import UnknownNameError
from forensic.training.registry import TASKS
from forensic.training.task import TrainingTask

CONTRACT = ("networks", "optimizers", "step", "validate", "export")


@pytest.mark.parametrize("name", TASKS)
def test_task_fulfils_the_contract(name: str) -> None:
    task = TASKS[name]
    assert isinstance(task.score, str)
    assert isinstance(task.higher_is_better, bool)
    for method in CONTRACT:
        wanted = inspect.signature(getattr(TrainingTask, method)).parameters
        assert list(inspect.signature(getattr(task, method)).parameters) == list(wanted)


@pytest.mark.parametrize("name", TASKS)
def test_every_argument_is_named_and_the_device_is_never_a_default(name: str) -> None:
    arguments = dict(inspect.signature(TASKS[name]).parameters)
    assert arguments["device"].default is inspect.Parameter.empty
    if any(a.kind is inspect.Parameter.VAR_KEYWORD for a in arguments.values()):
        # what is handed on are arguments of a task that this test looks at as well
        assert TASKS[name].__base__ in [TASKS[other] for other in TASKS]
        arguments = {n: a for n, a in arguments.items() if n != "options"}
    assert all(a.kind is inspect.Parameter.KEYWORD_ONLY for a in arguments.values())


@pytest.mark.parametrize("name", TASKS)
def test_samples_name_their_splits_and_facts(name: str) -> None:
    samples = TASKS[name].samples
    assert "split" in inspect.signature(samples).parameters
    assert isinstance(inspect.getattr_static(samples, "facts"), property)


def test_unknown_task() -> None:
    with pytest.raises(UnknownNameError, match="csi"):
        TASKS["cis"]
