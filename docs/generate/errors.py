"""The errors' page: exit codes, the rules of records and of requests, and why an import sets rows aside."""

from __future__ import annotations

from docs.generate.markdown import cell, code, table
from relapse_risk.datasets.exports.reject_reasons import RAW_RULES
from relapse_risk.errors import exit_codes
from relapse_risk.records.violations import RULES
from relapse_serve.refusals import REQUEST_RULES

_INTRO = """\
# Errors and exit codes

A message says what was got, what is valid and what to do next. It holds tables, columns, row numbers and counts,
never a person's data.
"""
_EXITS = """\
## Exit codes

Each kind of error has its own exit code and its own class in `relapse_risk.errors`. With `--json` a command prints
`error.kind`, `error.exit_code` and `error.message`.
"""
_RECORDS = """\
## Rules of records

`relapse check`, `load_records` and the service refuse records that break one of these rules, and `relapse import
county` sets such rows aside under the same code. Codes never change their meaning.
"""
_RAW = """\
## Rules of raw exports

Only `relapse import county` knows these: the row could not be used as it is in the file.
"""

_REQUESTS = """\
## Rules of requests

Only the service knows these.
"""


def page() -> str:
    """Return the page."""
    exits = [(str(number), code(name), cell(meaning)) for number, name, meaning in exit_codes()]
    records = [(code(rule), cell(meaning)) for rule, meaning in RULES.items()]
    raw = [(code(rule), label.zh, cell(label.en)) for rule, label in RAW_RULES.items()]
    requests = [(code(rule), cell(meaning)) for rule, meaning in REQUEST_RULES.items()]
    return "\n".join(
        (
            _INTRO,
            _EXITS,
            table(("code", "class", "means"), exits),
            _RECORDS,
            table(("rule", "broken means"), records),
            _RAW,
            table(("rule", "中文", "broken means"), raw),
            _REQUESTS,
            table(("rule", "broken means"), requests),
        )
    )
