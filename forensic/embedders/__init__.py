"""Networks that turn an aligned face into a unit vector."""
