"""The reference pages that come from the code: commands, metrics, tables, features, signals.

python tools/reference.py    # writes docs/reference/{cli,cli.fr,metrics,tables,features,signals}.md
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
MADE = "<!-- Made by `make reference`: change the code, not this page. -->"
TYPES = {
    "text": "text",
    "integer": "whole number",
    "decimal": "DECIMAL(18, 4)",
    "date": "date",
    "timestamp": "timestamp, UTC without zone",
    "boolean": "true or false",
}


def tables_page() -> str:
    """The canonical tables, their columns and what files call them."""
    from revoir.tables import TABLES

    lines = [
        "# Tables",
        MADE,
        "Every source is brought into these tables, and every metric is defined on them. A column",
        "that is not *required* may be absent; a *derived* one is computed when a file is read (a",
        "warehouse may carry it). Other columns stay beside, under a plain name, to break figures",
        "down by or to filter. “Found as” lists other headers that are known, case, accents and",
        "punctuation ignored; the values are looked at too.",
    ]
    for table in TABLES.values():
        lines += [
            f"## {table.name}",
            f"{_sentence(table.grain.text('en'))} / *{_sentence(table.grain.text('fr'))}*",
            "| column | holds | meaning | signification | found as |\n|---|---|---|---|---|\n"
            + "\n".join(_column_row(column) for column in table.columns),
        ]
    return "\n\n".join(_paragraphs(lines)) + "\n"


def _column_row(column: Any) -> str:
    notes = [
        word
        for word, holds in (
            ("required", column.required and not column.derived),
            ("derived", column.derived),
            ("personal", column.personal),
        )
        if holds
    ]
    return _row(
        f"`{column.name}`",
        ", ".join([TYPES[column.type.value], *notes]),
        column.meaning.text("en"),
        column.meaning.text("fr"),
        ", ".join(column.synonyms),
    )


def metrics_page() -> str:
    """The catalogue of metrics, with every definition."""
    from revoir.metrics.registry import metrics

    lines = [
        "# Metrics",
        MADE,
        "Each is asked for by its name, an alias, or its label in either language:",
        "`revoir metric NAME FILE…`. Shares are fractions in JSON (0.7 is 70 %).",
    ]
    family = ""
    for metric in metrics():
        if metric.family != family:
            family = metric.family
            lines.append(f"## {_sentence(family.replace('_', ' '), stop='')}")
        facts = [
            ("Formula", metric.formula.text("en")),
            ("Formule", metric.formula.text("fr")),
            (
                "Unit",
                f"{metric.unit.value}; better when {metric.better}"
                if metric.better != "neither"
                else metric.unit.value,
            ),
            ("Needs", ", ".join(f"`{need}`" for need in metric.needs)),
            ("Goal", _goal(metric)),
            ("Also", ", ".join(f"`{alias}`" for alias in metric.aliases)),
            ("Source", metric.source or ""),
        ]
        lines += [
            f"### `{metric.name}`",
            f"{metric.label.text('en')} / *{metric.label.text('fr')}*",
            "\n".join(f"- {name}: {text}" for name, text in facts if text),
        ]
    return "\n\n".join(_paragraphs(lines)) + "\n"


def _goal(metric: Any) -> str:
    if metric.goal_growth is not None:
        return f"+{metric.goal_growth:.0%} in a year"
    return f"{metric.goal:g}" if metric.goal is not None else ""


def features_page() -> str:
    """Every feature of customers, by the table it comes from."""
    from revoir.models.features.compute import declared

    lines = [
        "# Features of customers",
        MADE,
        "What models learn from: figures of a customer on a day, of what was known by its end. A",
        "feature that *looks back* so many days is used only where the records of its table reach",
        "that far on every day learned from. How they are used: [churn](../explanation/churn.md).",
    ]
    home, rows = "", []
    for feature in declared():
        if feature.table != home:
            lines += ["\n".join(rows)] if rows else []
            home = feature.table
            lines.append(f"## From {home}")
            rows = [
                "| feature | what it is | ce que c'est | unit | looks back | high | low |",
                "|---|---|---|---|---|---|---|",
            ]
        rows.append(_feature_row(feature))
    lines.append("\n".join(rows))
    return "\n\n".join(_paragraphs(lines)) + "\n"


def _feature_row(feature: Any) -> str:
    return _row(
        f"`{feature.name}`",
        feature.label.text("en"),
        feature.label.text("fr"),
        feature.unit.value if feature.unit else "text",
        f"{feature.reach_days} days" if feature.reach_days else "",
        feature.high.text("en") if feature.high else "",
        feature.low.text("en") if feature.low else "",
    )


def signals_page() -> str:
    """The signals, the parts of the health score, and the rules of what to do."""
    from revoir.signals.next_actions import ANSWERS, RULES
    from revoir.signals.parts import PARTS
    from revoir.signals.registry import signals

    lines = [
        "# Signals",
        MADE,
        "`revoir signals --signal NAME` looks at one, `--set NAME.PARAMETER=N` changes a limit.",
        "How alerts come from them, and their record: [signals](../explanation/signals.md).",
    ]
    for signal in signals():
        ways = [", ".join(f"`{need}`" for need in needs) for needs in signal.needs]
        facts = [
            ("Meaning", signal.meaning.text("en")),
            ("Signification", signal.meaning.text("fr")),
            ("Needs", " or ".join(ways)),
            ("Uses where there are", ", ".join(f"`{name}`" for name in signal.uses)),
            ("Its past", signal.no_past.text("en") if signal.no_past else ""),
        ]
        lines += [
            f"## `{signal.name}`",
            f"{signal.label.text('en')} / *{signal.label.text('fr')}*",
            "\n".join(f"- {name}: {text}" for name, text in facts if text),
        ]
        if signal.parameters:
            rows = [
                _row(
                    f"`{one.name}`",
                    one.meaning.text("en"),
                    one.meaning.text("fr"),
                    f"{one.default:g}",
                    f"{one.low:g} to {one.high:g}",
                )
                for one in signal.parameters
            ]
            head = [
                "| parameter | what it says | ce qu’il dit | default | limits |",
                "|---|---|---|--:|---|",
            ]
            lines.append("\n".join([*head, *rows]))
    rows = [
        _row(
            f"`{part.name}`",
            f"{part.weight:g}",
            f"{part.label.text('en')} / *{part.label.text('fr')}*",
            part.meaning.text("en"),
            part.meaning.text("fr"),
        )
        for part in PARTS
    ]
    lines += [
        "## The parts of the health score",
        "| part | weight | name | meaning | signification |\n|---|--:|---|---|---|\n"
        + "\n".join(rows),
    ]
    rows = [
        _row(
            f"`{rule.name}`",
            *(f"{told.text('en')} / *{told.text('fr')}*" for told in (rule.does, rule.holds)),
            ", ".join(f"`{purpose}`" for purpose in rule.purposes),
        )
        for rule in RULES
    ]
    answers = [
        _row(f"`{name}`", text.text("en"), text.text("fr")) for name, text in ANSWERS.items()
    ]
    lines += [
        "## What to do now",
        "The rules in their order; at most three actions are given. One of the purposes must be",
        "allowed by the customer. `wait` and `no_contact` say why there is nothing to do.",
        "| rule | does | when | purposes |\n|---|---|---|---|\n" + "\n".join(rows),
        "What answers an alert; any other signal is answered by getting in touch.",
        "| signal | answer | réponse |\n|---|---|---|\n" + "\n".join(answers),
    ]
    return "\n\n".join(_paragraphs(lines)) + "\n"


CLI = {
    "en": [
        "# Commands",
        "[Français](cli.fr.md)",
        "`revoir --install-completion` teaches your shell to complete them.",
        "Exit codes: 0 done; 1 done, and rows were put into quarantine (`check`, `import`) or a",
        "file was not recognised (`import`); 2 the question was not well put; 3 the input or the",
        "engine cannot be used; 130 stopped by you.",
    ],
    "fr": [
        "# Commandes",
        "[English](cli.md)",
        "`revoir --install-completion` apprend à votre terminal à les compléter.",
        "Codes de sortie : 0, c’est fait ; 1, c’est fait et des lignes sont en quarantaine",
        "(`check`, `import`) ou un fichier n’a pas été reconnu (`import`) ; 2, la demande est mal",
        "formée ; 3, l’entrée ou le moteur est inutilisable ; 130, vous avez arrêté la commande.",
    ],
}
TABLE = {
    "en": "| argument or option | what it says | default |\n|---|---|---|\n",
    "fr": "| argument ou option | ce qu’il dit | par défaut |\n|---|---|---|\n",
}
REQUIRED = {"en": "required", "fr": "obligatoire"}


def cli_page(code: str) -> str:
    """Every command with its arguments and options, as ``--help`` says it."""
    import typer

    # The command line words its help once, when it is imported.
    os.environ["REVOIR_LANG"] = code
    from revoir.cli import app

    title, *words = CLI[code]
    lines = [title, MADE, *words]
    command: Any = typer.main.get_command(app)
    for name in sorted(command.commands):
        lines += _command(f"revoir {name}", command.commands[name], code)
    return "\n\n".join(_paragraphs(lines)) + "\n"


def _command(name: str, command: Any, code: str) -> list[str]:
    lines = [f"## {name}", _clean(command.help)]
    for sub in sorted(getattr(command, "commands", {})):
        lines += _command(f"{name} {sub}", command.commands[sub], code)
    rows = [
        _row(
            " ".join(f"`{flag}`" for flag in _flags(parameter)),
            _clean(getattr(parameter, "help", "") or ""),
            _default(parameter, code),
        )
        for parameter in command.params
        if not getattr(parameter, "hidden", False)
    ]
    if rows:
        lines.append(TABLE[code] + "\n".join(rows))
    return lines


def _flags(parameter: Any) -> list[str]:
    if parameter.param_type_name == "argument":
        name = (parameter.metavar or parameter.name or "").upper()
        return [f"{name}…" if parameter.nargs == -1 and "…" not in name else name]
    return [*parameter.opts, *parameter.secondary_opts]


def _default(parameter: Any, code: str) -> str:
    value = parameter.default
    if value is None or callable(value) or value in ((), [], "", False) or parameter.required:
        return REQUIRED[code] if parameter.required else ""
    return f"`{value}`"


def _clean(text: str | None) -> str:
    return " ".join((text or "").replace("\b", "").split())


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _sentence(text: str, stop: str = ".") -> str:
    return text[:1].upper() + text[1:] + stop


_WHOLE = ("#", "|", "- ", "<", "[")


def _paragraphs(lines: list[str]) -> list[str]:
    """Join the lines of one paragraph; a heading, a table or a list is one by itself."""
    joined: list[str] = []
    for line in lines:
        whole = line.startswith(_WHOLE)
        if joined and not whole and not joined[-1].startswith(_WHOLE):
            joined[-1] += "\n" + line
        else:
            joined.append(line)
    return joined


PAGES = {
    "tables": tables_page,
    "metrics": metrics_page,
    "cli": partial(cli_page, "en"),
    "cli.fr": partial(cli_page, "fr"),
    "features": features_page,
    "signals": signals_page,
}


if __name__ == "__main__":
    if sys.argv[1:]:
        print(PAGES[sys.argv[1]](), end="")
    else:
        for page in PAGES:
            # Each in a process of its own: the command line is worded in one language.
            made = subprocess.run(
                [sys.executable, "-X", "utf8", __file__, page], capture_output=True, check=True
            ).stdout
            path = ROOT / "docs" / "reference" / f"{page}.md"
            path.write_bytes(made)
            print(path.relative_to(ROOT))
