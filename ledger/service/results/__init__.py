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
from ledger.service.results.rights import (
    Cap,
    Cause,
    Duty,
    GrantUsed,
    Happened,
    History,
    Permission,
)
from ledger.service.results.settling import (
    BilledUse,
    Difference,
    Due,
    EscrowApproval,
    EscrowParty,
    EscrowPayment,
    EscrowState,
    IncomeSplit,
    SettlementCheck,
    SettlementStatement,
    Share,
    StatementLine,
    StatementTotal,
    Ungranted,
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
    "AuditReport",
    "AuditedLog",
    "BilledUse",
    "Cap",
    "Cause",
    "Claim",
    "Delegate",
    "Delegates",
    "Difference",
    "DigestedLog",
    "Disclosures",
    "Done",
    "Due",
    "Duty",
    "EscrowApproval",
    "EscrowParty",
    "EscrowPayment",
    "EscrowState",
    "EvidenceMade",
    "FileVerdict",
    "Findings",
    "Followed",
    "Follows",
    "Fork",
    "ForkHead",
    "GrantUsed",
    "Happened",
    "History",
    "Hit",
    "Imported",
    "IncomeSplit",
    "Key",
    "Keys",
    "LogLine",
    "LogListing",
    "Namespace",
    "Namespaces",
    "Permission",
    "PrivateAttachment",
    "Problem",
    "Receipt",
    "RecordRef",
    "Refused",
    "ReportMade",
    "RunReceipt",
    "SearchResult",
    "Section",
    "SettlementCheck",
    "SettlementStatement",
    "Setup",
    "Share",
    "Shown",
    "StatementLine",
    "StatementTotal",
    "Status",
    "Synced",
    "TrustFile",
    "Ungranted",
]
