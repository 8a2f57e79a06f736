"""Results as text for people: generators of lines, one for each result.

Everything shown is in the JSON too; nothing is computed here. Names and titles come from other parties:
`layout.shown` makes visible what could steer a terminal, and a name is always shown as a claim.
"""
