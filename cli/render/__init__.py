"""Results as text for people: generators of lines, one for each result.

Everything shown is in the JSON too; nothing is computed here. Names and titles come from other parties: what
could steer a terminal is made visible (`ledger.formats.text`), and a name is always shown as a claim.
"""
