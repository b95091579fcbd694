"""What the worker does for each kind of job; science and records meet here and nowhere else."""
