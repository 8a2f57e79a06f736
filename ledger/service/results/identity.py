"""Keys, namespaces, delegates: who somebody is."""

from __future__ import annotations

from msgspec import Struct


class Key(Struct, frozen=True, kw_only=True):
    """A record key as published: from which block, until when, whether revoked, and whether it is the one in
    use.
    """

    key: str
    from_block: int
    valid_to: str
    revoked_block: int | None
    here: bool
    current: bool


class Keys(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/keys/v1"):
    """A party's record keys."""

    party: str
    keys: list[Key]
    to_block: int


class Namespace(Struct, frozen=True, kw_only=True):
    """A namespace and its owner since a block."""

    name: str
    owner: str
    owner_name: str
    from_block: int
    ours: bool


class Namespaces(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/namespaces/v1"):
    """Namespaces as the Directory contract has them."""

    namespaces: list[Namespace]
    to_block: int


class Delegate(Struct, frozen=True, kw_only=True):
    """Who may act for this party, in which way, from which block and until when."""

    type: str
    delegate: str
    from_block: int
    valid_to: str
    revoked_block: int | None


class Delegates(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/delegates/v1"):
    """A party's delegates."""

    party: str
    delegates: list[Delegate]
    to_block: int
