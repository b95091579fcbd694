"""The service as `forensic bench service` drives it: a site of its own, and its clients."""
