"""From a sketch and a gallery to a ranked list of leads."""
