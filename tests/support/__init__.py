"""Makers of synthetic test material; no test lives here."""
