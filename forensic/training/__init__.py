"""Training: a loop that knows no architecture, and one task per system."""
