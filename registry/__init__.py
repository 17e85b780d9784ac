"""A register of damage to buildings and supply, from the first word to the repair."""

#: The version of the software; Releases print it. Raised with the CHANGELOG.
__version__ = "0.1.0"
