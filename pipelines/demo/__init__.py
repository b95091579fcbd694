"""The demonstration on phantoms: from rendered persons to a page of ranked leads."""

from pipelines.demo.cli import demo

__all__ = ["demo"]
