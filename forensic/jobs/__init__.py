"""Background work: what a worker does, and what commands do in the foreground."""
