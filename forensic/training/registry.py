"""The table of training tasks.

Beside the contract of `forensic.training.task`, a class in it names its `samples`: what makes its
training and validation sets, whose `facts` are the first arguments of its constructor.
"""

from __future__ import annotations

from forensic.registry import Registry
from forensic.training.tasks.csi import CSITask
from forensic.training.tasks.sketchface import SketchFaceTask

TASKS: Registry[type[CSITask] | type[SketchFaceTask]] = Registry(
    "training task", {"csi": CSITask, "sketchface": SketchFaceTask}
)
