"""Operators that turn a photo into a drawing-like picture; nothing learned lives here."""
