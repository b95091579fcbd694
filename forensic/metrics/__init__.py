"""How near a synthesized face is to the true photo: per-image figures, no networks."""
