"""A node behind JSON-RPC over HTTP: anvil, Geth, Besu, any network that speaks Ethereum's API."""
