"""The table of training tasks.

Beside the contract of `forensic.training.task`, a class in it names its `samples`: what makes its
training and validation sets, whose `facts` are the first arguments of its constructor.
"""

from __future__ import annotations

from typing import Any

from forensic.registry import Registry
from forensic.training.tasks.adapter import AdapterTask
from forensic.training.tasks.autoencoder import AutoencoderTask
from forensic.training.tasks.cali_sketch import CaliSketchTask
from forensic.training.tasks.csi import CSITask
from forensic.training.tasks.csi_robust import RobustCSITask
from forensic.training.tasks.deepfacepencil import DeepFacePencilTask
from forensic.training.tasks.fcn import FCNTask
from forensic.training.tasks.pix2pix import Pix2PixTask
from forensic.training.tasks.sketchface import SketchFaceTask

TASKS: Registry[type[Any]] = Registry(
    "training task",
    {
        "adapter": AdapterTask,
        "autoencoder": AutoencoderTask,
        "cali-sketch": CaliSketchTask,
        "csi": CSITask,
        "csi-robust": RobustCSITask,
        "deepfacepencil": DeepFacePencilTask,
        "fcn": FCNTask,
        "pix2pix": Pix2PixTask,
        "sketchface": SketchFaceTask,
    },
)
