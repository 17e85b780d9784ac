"""What no format can do for a table."""


class Unfit(Exception):
    """The rows do not fit into this format; the message says why, for whoever asked for them."""
