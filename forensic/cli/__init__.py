"""Commands of `forensic`: each parses its arguments, calls one function, and prints."""
