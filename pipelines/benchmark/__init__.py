"""Accuracy benchmarks: cumulative match scores with the statistics that a laboratory needs.

`folders` finds out who belongs to whom, `cache` keeps vectors so that a killed run resumes,
`embedding` makes them, `scoring` turns them into figures, `pairs` joins these, and `cli` holds
the commands.
"""

from pipelines.benchmark.cli import benchmark as benchmark
from pipelines.benchmark.heldout_cli import ablation, fusion, heldout

benchmark.add_command(ablation)
benchmark.add_command(fusion)
benchmark.add_command(heldout)
