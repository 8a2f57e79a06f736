"""The index: what chain and logs say, as tables. Rebuilt at any time, and never a source of trust.

index = Index.open(path, descriptor)
index.sync(chain, logs)                      # feeds: `feeds.ChainFeed`, `feeds.LogFeed`
index.lineage("acme/orders@3")
"""

from ledger.index.index import Index

__all__ = ["Index"]
