"""`forensic benchmark all`: every report of a plan rebuilt where it is out of date.

`plan` says what a plan may hold, `keys` what a report depends on, `states` which reports are out
of date and why, `running` makes those, `tables`, `faces` and `searches` write what came of them in
Markdown, `cards` for the model cards, and `pages` puts it where a page has marks for it.
"""
