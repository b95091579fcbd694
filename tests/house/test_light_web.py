"""The web process is light: a fresh interpreter that imports it loads no model library."""

import json
import subprocess
import sys

HEAVY = {"torch", "torchvision", "faiss", "matplotlib", "scipy", "onnxruntime"}
SCRIPT = "import json, sys, forensic.web.app; print(json.dumps(sorted(sys.modules)))"


def test_web_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(done.stdout))
    assert "forensic.web.app" in loaded
    assert loaded.isdisjoint(HEAVY)
