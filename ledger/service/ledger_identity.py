"""What `Ledger` offers about identity: keys, namespaces, delegates, where the log is served."""

from __future__ import annotations

from ledger.service import results as r
from ledger.service.context import Context


class IdentityMethods:
    """The part of `Ledger` that changes and shows who the party is; see `identity`."""

    _context: Context

    def keys(self, party: str | None = None) -> r.Keys:
        """List a party's record keys, the own ones by default."""
        from ledger.service import identity

        return identity.keys(self._context, party)

    def rotate_key(self) -> r.Done:
        """Publish a new record key and sign with it from now on."""
        from ledger.service import identity

        return identity.rotate_key(self._context)

    def revoke_key(self, prefix: str) -> r.Done:
        """Revoke the record key that begins with these digits."""
        from ledger.service import identity

        return identity.revoke_key(self._context, prefix)

    def namespaces(self) -> r.Namespaces:
        """List the namespaces of the ledger."""
        from ledger.service import identity

        return identity.namespaces(self._context)

    def claim_namespace(self, name: str) -> r.Done:
        """Claim a namespace for this party."""
        from ledger.service import identity

        return identity.claim_namespace(self._context, name)

    def assign_namespace(self, name: str, party: str) -> r.Done:
        """Give a new namespace, under one's own or as the registrar, to another party."""
        from ledger.service import identity

        return identity.assign_namespace(self._context, name, party)

    def transfer_namespace(self, name: str, party: str) -> r.Done:
        """Hand a namespace over for good."""
        from ledger.service import identity

        return identity.transfer_namespace(self._context, name, party)

    def delegates(self) -> r.Delegates:
        """List who may act for this party."""
        from ledger.service import identity

        return identity.delegates(self._context)

    def add_delegate(self, type_: str, party: str, *, days: int) -> r.Done:
        """Let another party act for this one: `anchor` or `record`."""
        from ledger.service import identity

        return identity.add_delegate(self._context, type_, party, days=days)

    def revoke_delegate(self, type_: str, party: str) -> r.Done:
        """End a delegation."""
        from ledger.service import identity

        return identity.revoke_delegate(self._context, type_, party)

    def serve_at(self, url: str) -> r.Done:
        """Announce on chain where the own log is served."""
        from ledger.service import identity

        return identity.serve_at(self._context, url)
