"""Accuracy benchmarks: cumulative match scores with the statistics that a laboratory needs.

`folders` finds out who belongs to whom, `locating` finds the faces, `embedding` makes vectors of
them, `cache` keeps both so that a killed run resumes, `scoring` turns them into figures, `pairs`
joins these, and `cli` holds the commands. `suite` rebuilds all reports that are out of date.
"""

from pipelines.benchmark.cli import benchmark as benchmark
from pipelines.benchmark.heldout_cli import ablation, fusion, heldout
from pipelines.benchmark.lfw_cli import lfw, verify
from pipelines.benchmark.suite.cli import everything

benchmark.add_command(ablation)
benchmark.add_command(everything)
benchmark.add_command(fusion)
benchmark.add_command(heldout)
benchmark.add_command(lfw)
benchmark.add_command(verify)
