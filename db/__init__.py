"""Records: the database behind galleries, cases, reviews, jobs and the audit.

Imports only the standard library, SQLAlchemy and Alembic, and reads no settings: it is given a
URL. `db.session` opens engines and transactions, `db.models` says what a row is, `db.queries`
reads and writes rows, `db.migrations` brings a database to the schema that this code knows.
"""
