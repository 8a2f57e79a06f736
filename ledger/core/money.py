"""Amounts of money: whole numbers of a currency's minor unit, and how they are written.

Source: ISO 4217 (list one, https://www.six-group.com/en/products-services/financial-information/
data-standards.html, as of 2025). The exponent says how many decimals the minor unit is: CNY 2 (1.00 yuan is
100 fen), JPY 0, KWD 3. Codes that are withdrawn stay in the table: what was agreed in them is still owed.
Metals, bond units and test codes are no money and not in it.

    parse_amount("100000.01", "CNY") == 10000001
    format_amount(10000001, "CNY") == "100000.01"
"""

from __future__ import annotations

import re
from typing import Final

from ledger.core.encoding import MAX_INTEGER
from ledger.core.errors import FormatError
from ledger.core.text import shown

_CODES: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
    CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD
    HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT
    MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR
    SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU
    UZS VED VES WST XCD XCG YER ZAR ZMW ZWG""",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

EXPONENTS: Final = {code: exponent for exponent, codes in _CODES.items() for code in codes.split()}
"""ISO 4217 code -> number of decimals of its minor unit."""

_amount = re.compile(r"(0|[1-9][0-9]{0,15})(?:\.([0-9]{1,4}))?").fullmatch


def exponent_of(currency: str) -> int:
    """Give the number of decimals of a currency's minor unit; FormatError if ISO 4217 has no such code."""
    exponent = EXPONENTS.get(currency)
    if exponent is None:
        raise FormatError(
            f"currency: expected an ISO 4217 code, got {shown(currency)}", hint="for example: CNY, EUR, JPY"
        )
    return exponent


def parse_amount(text: str, currency: str) -> int:
    """Read an amount as minor units, 0..2^53-1: decimals may be left out, but there are never too many."""
    exponent = exponent_of(currency)
    found = _amount(text)
    if found is None or len(found[2] or "") > exponent:
        raise FormatError(
            f"amount: expected {currency} with at most {exponent} decimals and no other sign than a point, "
            f"got {shown(text)}"
        )
    amount = int(found[1] + (found[2] or "").ljust(exponent, "0"))
    if amount > MAX_INTEGER:
        raise FormatError(f"amount: expected at most 2^53-1 minor units, got {shown(text)}")
    return amount


def format_amount(amount: int, currency: str) -> str:
    """Write minor units with all decimals of their currency; the counterpart of `parse_amount`."""
    exponent = exponent_of(currency)
    if not exponent:
        return str(amount)
    digits = str(abs(amount)).rjust(exponent + 1, "0")
    return f"{'-' if amount < 0 else ''}{digits[:-exponent]}.{digits[-exponent:]}"
