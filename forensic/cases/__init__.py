"""Services of the case work: what people may do, to which records, and what the audit keeps of it.

Every service function takes a session, then the `Actor` who asks. It checks the permission, then
that the case is one of the actor's, works through `db.queries`, and ends with an audit event in
the same transaction, which belongs to the caller. Nothing here knows of Flask, torch or FAISS.
"""
