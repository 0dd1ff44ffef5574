"""Writes the chart's README.md from values.schema.json and values.yaml.

    python deploy/helm/readme.py

A test holds the file equal to what this makes.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parent / "matinee"

_HEAD = """\
# Helm chart of Matinee

Made from `values.schema.json` and `values.yaml` by `python deploy/helm/readme.py`. How to install,
upgrade and scale: [docs/kubernetes.md](../../../docs/kubernetes.md).

```sh
helm install video deploy/helm/matinee --values my-values.yaml
```

The chart is for Helm 3 and 4. MySQL, Redis and an object store are not part of it. It takes their
addresses, and their passwords from secrets that there are already.

| value | default | meaning |
| --- | --- | --- |
"""


def readme() -> str:
    """Return the text."""
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    return _HEAD + "".join(f"{row}\n" for row in _rows(schema, values, ""))


def _rows(schema: dict[str, Any], values: dict[str, Any], prefix: str) -> Iterator[str]:
    for name, about in schema["properties"].items():
        if name not in values:
            continue
        value = values[name]
        meaning = about["description"].replace("|", "\\|")
        if "enum" in about:
            meaning += " One of: " + ", ".join(f"`{word}`" for word in about["enum"] if word) + "."
        if prefix == "" and name == "settings":
            names = ", ".join(f"`{one}`" for one in about["properties"])
            yield f"| `settings` | `{{}}` | {meaning} {names}. |"
        elif isinstance(value, dict) and about.get("properties"):
            yield f"| `{prefix}{name}` | | **{meaning}** |"
            yield from _rows(about, value, f"{prefix}{name}.")
        else:
            yield f"| `{prefix}{name}` | {_default(value)} | {meaning} |"


def _default(value: object) -> str:
    return "" if value == "" else f"`{json.dumps(value)}`"


if __name__ == "__main__":
    (CHART / "README.md").write_text(readme(), encoding="utf-8")
