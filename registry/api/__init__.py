"""The REST API under ``/api/v1/``: what the pages show and do, as JSON, by the same filters, forms and actions.

``problems``: how it says no. ``doors``: what an address is. ``shapes``: what it answers with. ``bodies``: what is
sent. ``description``: the OpenAPI document, made of all of it.
"""
