"""`make nominatim`: a real Nominatim on loopback over an extract (EXTRACT, ours if not set), until Ctrl-C.

Everything it holds is thrown away at the end: it is for trying the register with an online geocoder, and for
tests. An installation's own Nominatim is set up as its project says."""

import json
import os
from contextlib import suppress
from pathlib import Path

from .server import running


def main() -> None:
    extract = os.environ.get("EXTRACT")
    with running(
        Path(extract) if extract else None, int(os.environ.get("NOMINATIM_PORT", 8088))
    ) as nominatim:
        options = {"user_agent": "register", "domain": nominatim.host, "scheme": "http"}
        print(
            f"Nominatim answers at http://{nominatim.host}/search?q=Чугуїв (Ctrl-C ends it). For the register:\n"
        )
        print(f"    GEOCODER=nominatim GEOCODER_OPTIONS='{json.dumps(options)}' make run", flush=True)
        with suppress(KeyboardInterrupt):
            nominatim.wait()


if __name__ == "__main__":
    main()
