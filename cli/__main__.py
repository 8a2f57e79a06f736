"""`python -m ledger_cli` is `dataledger`."""

import sys

from .entry import main

sys.exit(main())
