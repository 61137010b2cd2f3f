"""Signals: what kind of question this is, before anything is spent on it.

`Featuriser` is all that the rest of the product needs; `Encoder` is shared with the
knowledge index.
"""

from router.signals.encoder import Encoder
from router.signals.features import Featuriser
from router.signals.head import Head, load_head

__all__ = ["Encoder", "Featuriser", "Head", "load_head"]
