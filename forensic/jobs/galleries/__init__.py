"""Galleries on record: importing photos, taking people out, exporting, projecting, searching.

The records are the truth; stored photos are named by their content, and an index is a projection
that can be made again. Nothing here knows of web or command line.
"""
