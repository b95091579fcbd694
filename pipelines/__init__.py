"""Programs that make artefacts: data sets, trained weights, benchmarks, the demonstration."""
