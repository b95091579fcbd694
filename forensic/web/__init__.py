"""The web: sign-in, pages and the API `/api/v1`, over the services of `forensic.cases`.

Flask is imported only here. The web process loads no torch, FAISS or matplotlib: what needs a
model is done by the worker.
"""
