"""Pages, tables and figures made from value objects."""
