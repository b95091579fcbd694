"""Long-running work that ends in a file: data sets, trainings, benchmarks, the demo."""
