"""DeepFacePencil: faces from drawings whose strokes do not lie where they should."""
