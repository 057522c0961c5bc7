"""python -m queries --docs: the catalogue of all views as Markdown."""

import sys

from queries.catalog import LAYERS, View, catalogue, lists

ABOUT = {
    "lists": "Facts of the world kept by hand, one CSV file each. Rows are added, never edited.",
    "base": "Tidy inputs; the only views that name stored tables or lists.",
    "rollups": "What base holds, added up by hour or day. A store keeps these sums; elsewhere they are views.",
    "facts": "One row per thing that happened. Tokens become money here, once. These are the public tables.",
    "focus": "The facts the reader asked for, and the only layer that knows filters.",
    "metrics": "One view per question a page asks.",
}


def docs() -> str:
    """The catalogue as Markdown."""
    parts = [
        "# The views\n",
        "Everything Outlay claims about the data, in SQL. Each layer reads only those before it; a file is named as\n"
        "its view and says what it shows, what one row is and what each column means. This page is made from those\n"
        "comments: `python -m queries --docs > queries/README.md`.\n",
        f"## lists\n\n{ABOUT['lists']}\n",
        "\n".join(f"- `lists.{file.stem}`" for file in lists()) + "\n",
    ]
    for layer in LAYERS:
        parts.append(f"## {layer}\n\n{ABOUT[layer]}\n")
        parts += [_entry(view) for view in sorted(catalogue(), key=lambda view: view.path) if view.layer == layer]
    return "\n".join(parts)


def _entry(view: View) -> str:
    grain = "one row" if not view.grain else "one row per " + ", ".join(f"`{column}`" for column in view.grain)
    notes = "".join(f"\n| `{column}` | {note.replace('|', '&#124;')} |" for column, note in view.notes.items())
    table = f"\n\n| column | meaning |\n|---|---|{notes}" if notes else ""
    return f"### {view.path}\n\n{view.summary} ({grain})" + table + "\n"


if __name__ == "__main__":
    if sys.argv[1:] != ["--docs"]:
        sys.exit("Usage: python -m queries --docs")
    sys.stdout.write(docs())
