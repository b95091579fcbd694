"""Finding a face, its five landmarks, and bringing it into a named geometry."""
