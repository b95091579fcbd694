"""The tables of the papers: each system measured against its own."""
