"""Galleries of unit vectors: exact search, and the saved, verified index that it runs on.

A result of a search is an investigative lead, never an identification.
"""
