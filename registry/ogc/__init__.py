"""The register as a layer for maps and programs: OGC API Features 1.0, with filters in CQL2 text.

``answers``: representations, links, refusals. ``asking``: a request's parameters as a selection. ``items``:
rows as GeoJSON. ``describing``: what there is and what may be asked, as JSON Schema and OpenAPI. ``cql2``: the
filter language. ``doors``: the addresses.
"""
