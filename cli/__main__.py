"""`python -m ledger_cli` is `dataledger`."""

import sys

from .main import run

sys.exit(run())
