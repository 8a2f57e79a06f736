"""What the use cases answer: plain values, which the command line renders and `--json` prints as they are.

Hashes, digests and ids are lower-case hex; DIDs, names and times are text. Times called `claimed` are what a
record says; blocks and their times are what the chain proves. `state` is `pending` (in the log), `anchored`
(in a block) or `final` (deep enough). The shapes are documented in docs/json.md, generated from them; a
change that breaks them changes `format`.
"""

from __future__ import annotations

from ledger.service.results.asking import (
    Claim,
    FileVerdict,
    Findings,
    Followed,
    Hit,
    LogLine,
    LogListing,
    SearchResult,
    Section,
    Shown,
    Status,
)
from ledger.service.results.auditing import (
    AuditedLog,
    AuditReport,
    Fork,
    ForkHead,
    Problem,
)
from ledger.service.results.identity import (
    Delegate,
    Delegates,
    Key,
    Keys,
    Namespace,
    Namespaces,
)
from ledger.service.results.private import (
    Disclosures,
    PrivateAttachment,
)
from ledger.service.results.proving import (
    EvidenceMade,
    ReportMade,
    TrustFile,
)
from ledger.service.results.recalling import (
    AffectedParty,
    AffectedVersion,
    GivenTo,
    Incident,
    IncidentLine,
    Incidents,
    MissingLog,
    NoticeLine,
    Recall,
)
from ledger.service.results.rights import (
    Cap,
    Cause,
    Duty,
    GrantUsed,
    Happened,
    History,
    Permission,
)
from ledger.service.results.syncing import (
    DigestedLog,
    Follows,
    Synced,
)
from ledger.service.results.writing import (
    Done,
    Imported,
    Receipt,
    RecordRef,
    Refused,
    RunReceipt,
    Setup,
)

__all__ = [
    "AffectedParty",
    "AffectedVersion",
    "AuditReport",
    "AuditedLog",
    "Cap",
    "Cause",
    "Claim",
    "Delegate",
    "Delegates",
    "DigestedLog",
    "Disclosures",
    "Done",
    "Duty",
    "EvidenceMade",
    "FileVerdict",
    "Findings",
    "Followed",
    "Follows",
    "Fork",
    "ForkHead",
    "GivenTo",
    "GrantUsed",
    "Happened",
    "History",
    "Hit",
    "Imported",
    "Incident",
    "IncidentLine",
    "Incidents",
    "Key",
    "Keys",
    "LogLine",
    "LogListing",
    "MissingLog",
    "Namespace",
    "Namespaces",
    "NoticeLine",
    "Permission",
    "PrivateAttachment",
    "Problem",
    "Recall",
    "Receipt",
    "RecordRef",
    "Refused",
    "ReportMade",
    "RunReceipt",
    "SearchResult",
    "Section",
    "Setup",
    "Shown",
    "Status",
    "Synced",
    "TrustFile",
]
