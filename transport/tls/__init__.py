"""Whom to trust and who to be."""

from .contexts import Contexts, Policy, make_context
from .identity import Unusable

__all__ = ["Contexts", "Policy", "Unusable", "make_context"]
