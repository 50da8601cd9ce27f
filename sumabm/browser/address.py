"""The address of a view: all that is on a page, as the query of its URL."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from sumabm.browser.parameters.words import shown
from sumabm.toml import MAX_BYTES, override_value

MAX_FIELDS = 200
MOST_TEXT = 8000
"""Characters that an address may have."""

_WHOLE = {"replicates": 1, "seed": 0, "shown": 0, "step": 0}  # the least of each


class AddressError(ValueError):
    """A URL that means no view."""


@dataclass(frozen=True)
class Address:
    """A live run: which scenario, what is changed in it, which replicates, what of it is shown.

    An override of None, which TOML has no word for, is an empty value. ``text`` is the TOML of a
    scenario that is no file here; ``scenario`` else its name. ``replicates`` is 0 for as many as
    are usual, ``step`` how far the run is.

    >>> Address.of("scenario=essay&set=agents.X.power%3D3").overrides
    {'agents.X.power': 3}
    """

    scenario: str = "essay"
    text: str = ""
    overrides: Mapping[str, object] = field(default_factory=dict)
    replicates: int = 0
    seed: int = 0
    shown: int = 0
    ai: str = ""
    step: int = 0

    @classmethod
    def of(cls, query: str | None) -> Address:
        """Return the address that a URL's query means; raises AddressError."""
        try:
            pairs = parse_qsl(query or "", keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except ValueError:
            raise AddressError(f"the address has more than {MAX_FIELDS} fields") from None
        found: dict[str, object] = {}
        overrides: dict[str, object] = {}
        for name, value in pairs:
            if name == "set":
                path, equals, entry = value.partition("=")
                if not equals or not path:
                    raise AddressError(f"set={value[:80]}: should be set=PATH=VALUE")
                overrides[path] = override_value(entry) if entry else None
            elif name in _WHOLE:
                found[name] = _whole(name, value)
            elif name == "toml":
                found["text"] = _unpacked(value)
            elif name in ("scenario", "ai"):
                found[name] = value
            else:
                raise AddressError(f"the address has an unknown field {name[:80]!r}")
        return cls(overrides=overrides, **found)  # type: ignore[arg-type]

    @property
    def fits(self) -> bool:
        """Whether it can be written, and is short enough for an address."""
        if any(shown(value) is None for value in self.overrides.values()):
            return False
        return len(self.query()) <= MOST_TEXT

    def query(self) -> str:
        """Return the query that means this address; what is as usual is left out."""
        plain = Address()
        pairs = [("toml", _packed(self.text))] if self.text else [("scenario", self.scenario)]
        pairs += [("set", f"{path}={shown(value) or ''}") for path, value in self.overrides.items()]
        pairs += [
            (name, str(getattr(self, name)))
            for name in (*_WHOLE, "ai")
            if getattr(self, name) != getattr(plain, name)
        ]
        return urlencode(pairs)


def _whole(name: str, value: str) -> int:
    if not value.isdecimal() or len(value) > 40 or int(value) < _WHOLE[name]:
        rule = f"should be a whole number of at least {_WHOLE[name]}"
        raise AddressError(f"{name}={value[:80]}: {rule}")
    return int(value)


def _packed(text: str) -> str:
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode()


def _unpacked(packed: str) -> str:
    """Return the text; raises AddressError for what is none or more than a file may have."""
    try:
        engine = zlib.decompressobj()
        data = engine.decompress(base64.b64decode(packed, b"-_", validate=True), MAX_BYTES)
        if not engine.eof:
            raise AddressError("the scenario in the address is cut off, or too large")
        return data.decode()
    except (binascii.Error, zlib.error, ValueError) as error:
        if isinstance(error, AddressError):
            raise
        raise AddressError(f"the scenario in the address cannot be read: {error}") from None
