"""Where imported photos come from: a folder, a ZIP archive, a CSV manifest.

A source lists its items in one fixed order without holding them all, and hands out the bytes of
each. What is wrong with a single item is an answer (`Refusal`), never an error that ends the job.
"""
