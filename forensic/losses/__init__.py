"""Differentiable losses: pure functions of tensors."""
