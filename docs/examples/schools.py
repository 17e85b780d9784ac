"""Which schools were damaged, how badly, and how many are whole again: from one edition, by pandas.

REGISTER=https://register.example.org python schools.py
"""

import json
import os
from urllib.request import urlopen

import pandas as pd

REGISTER = os.environ.get("REGISTER", "https://register.example.org")
FILTER = "kind=building&type=school"

# The register says itself what its columns are: codes stay text, days and moments become times.
with urlopen(f"{REGISTER}/data/datapackage.json?{FILTER}") as answer:
    package = json.load(answer)
reports = next(one for one in package["resources"] if one["name"] == "reports")
kinds = {field["name"]: field["type"] for field in reports["schema"]["fields"]}
whole = {"string": "string", "integer": "Int64", "number": "float64", "boolean": "boolean"}
# Its address names the edition: tomorrow it gives the same rows.
schools = pd.read_csv(
    reports["path"],
    dtype={name: whole[kind] for name, kind in kinds.items() if kind in whole},
    parse_dates=[name for name, kind in kinds.items() if kind in ("date", "datetime")],
)

# A row is one damage; a building that was struck twice has one asset. Without one, the report stands for it.
schools["building"] = schools["asset"].fillna(schools["reference"])
table = schools.groupby(["adm1_name", "damage_level"], dropna=False).agg(
    damage=("reference", "count"), buildings=("building", "nunique"), repaired=("repaired_on", "count")
)
print(f"Edition of {package.get('version', 'now')}, {len(schools)} rows")
print(table.to_string())
