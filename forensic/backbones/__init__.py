"""Frozen networks that serve as rulers: they are never trained here."""
