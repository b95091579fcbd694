"""The table of training tasks."""

from __future__ import annotations

from forensic.registry import Registry
from forensic.training.tasks.csi import CSITask

TASKS: Registry[type[CSITask]] = Registry("training task", {"csi": CSITask})
