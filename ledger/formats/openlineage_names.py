"""Which names mean the same dataset, and what to call it here.

OpenLineage identifies a dataset by namespace and name, and says with symlinks that two of them are one (a
table and the folder it lies in). Names that are linked, directly or through others, are one dataset: a
union-find over all events. Neither the groups nor their order nor the paths proposed depend on the order of
the events.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

from ledger.core.records import Alias
from ledger.formats.openlineage_facets import Identity

SCHEME = "openlineage"
MAX_PATH = 100
"""The most bytes of a proposed path: it fits behind every namespace."""

_SUFFIX_LENGTHS = (8, 16, 40)
_MAX_SLUG = MAX_PATH - 1 - _SUFFIX_LENGTHS[-1]
_unfit = re.compile(r"[^a-z0-9._-]+")


class Names:
    """Every identity seen, as numbers; and which of them are the same dataset."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}
        self._parents = array("I")
        self._direct = bytearray()

    def number(self, identity: Identity, *, direct: bool = True) -> int:
        """Return the number of an identity, new or known; `direct` unless it is only named in a symlink."""
        names = self._numbers.setdefault(identity.namespace, {})
        number = names.get(identity.name)
        if number is None:
            number = names[identity.name] = len(self._parents)
            self._parents.append(number)
            self._direct.append(0)
        if direct:
            self._direct[number] = 1
        return number

    def link(self, one: int, other: int) -> None:
        """Make two identities the same dataset."""
        low, high = sorted((self._root(one), self._root(other)))
        self._parents[high] = low

    def groups(self) -> Groups:
        """Return the datasets as they stand, in an order that depends on their names alone."""
        members: dict[int, list[Identity]] = {}
        canonical: dict[int, tuple[bool, Identity]] = {}
        for namespace, names in self._numbers.items():
            for name, number in names.items():
                identity, root = Identity(namespace, name), self._root(number)
                members.setdefault(root, []).append(identity)
                # a name that events use goes before one that only symlinks give
                best = (not self._direct[number], identity)
                canonical[root] = min(canonical.get(root, best), best)
        order = sorted(members, key=lambda root: canonical[root][1])
        positions = {root: at for at, root in enumerate(order)}
        of = array("I", (positions[self._root(number)] for number in range(len(self._parents))))
        aliases = []
        for root in order:
            first = canonical[root][1]
            aliases.append((first, *sorted(other for other in members[root] if other != first)))
        return Groups(self._numbers, of, aliases)

    def _root(self, number: int) -> int:
        root = number
        while self._parents[root] != root:
            root = self._parents[root]
        while self._parents[number] != root:
            self._parents[number], number = root, self._parents[number]
        return root


class Groups:
    """The datasets: `aliases[n]` are the identities of dataset `n`, the one to call it by first."""

    def __init__(
        self, numbers: dict[str, dict[str, int]], of: array[int], aliases: list[tuple[Identity, ...]]
    ) -> None:
        self._numbers = numbers
        self._of = of
        self.aliases = aliases

    def __call__(self, identity: Identity) -> int:
        """Return the dataset that an identity names; KeyError if it was in no event."""
        return self._of[self._numbers[identity.namespace][identity.name]]

    def of_number(self, number: int) -> int:
        """Return the dataset that an identity, by its number, names."""
        return self._of[number]


def as_aliases(identities: Iterable[Identity]) -> list[Alias]:
    """Return identities in the form in which a registration declares them."""
    return [Alias(SCHEME, identity.name, identity.namespace) for identity in identities]


def proposed_paths(identities: Iterable[Identity]) -> list[str]:
    """Return for each dataset a path of its own, from its name; a hash is added where two would be one."""
    named = list(identities)
    paths = [slug(identity) for identity in named]
    for length in _SUFFIX_LENGTHS:
        twice = _repeated(paths)
        if not twice:
            break
        paths = [
            distinct_path(identity, length) if path in twice else path
            for identity, path in zip(named, paths, strict=True)
        ]
    return paths


def slug(identity: Identity) -> str:
    """Return a dataset's name as a path: lower case, accents dropped, the rest of what does not fit as `-`.

    A name of which nothing is left, or too much, gets the hash of `distinct_path`.
    """
    whole = _slug(identity.name)
    return whole if whole and len(whole) <= _MAX_SLUG else distinct_path(identity)


def distinct_path(identity: Identity, length: int = _SUFFIX_LENGTHS[0]) -> str:
    """Return the path for a dataset whose own is taken: with `length` hex digits of its names' SHA-256."""
    digits = sha256(f"{identity.namespace}\0{identity.name}".encode()).hexdigest()[:length]
    end = (
        _slug(identity.name)[-_MAX_SLUG:].lstrip("-./") or "dataset"
    )  # the end of a long name tells the most
    return f"{end}-{digits}"


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    segments = (_unfit.sub("-", segment).strip("-.") for segment in plain.split("/"))
    return "/".join(segment for segment in segments if segment)


def _repeated(paths: list[str]) -> set[str]:
    return {path for path, times in Counter(paths).items() if times > 1}
