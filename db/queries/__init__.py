"""Reads and writes of each family of records, as plain functions on a session.

None of them commits: the transaction belongs to `db.session.session_scope`. None of them asks
who is acting: permissions are the business of the packages above.
"""
