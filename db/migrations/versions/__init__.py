"""One file per change of the schema, in order; released ones are never edited."""
