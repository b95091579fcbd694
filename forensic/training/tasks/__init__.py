"""One training task per system."""
