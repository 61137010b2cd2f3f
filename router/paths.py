"""Where Ockham keeps what it makes: model weights, the knowledge index, the ledger.

Not covered: the configuration file (see `router/config.py`) and artefacts shipped inside
the package.
"""

import os
from pathlib import Path

__all__ = ["data_dir"]


def data_dir() -> Path:
    """The data directory: `OCKHAM_DATA_DIR` where set, else the platform's own place.

    It is not created here: who writes into it, creates it.
    """
    chosen = os.environ.get("OCKHAM_DATA_DIR", "").strip()
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("ockham", appauthor=False))
