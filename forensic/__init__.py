"""Forensic sketch identification: ranked investigative leads, never an identification."""

__version__ = "0.1.0"
