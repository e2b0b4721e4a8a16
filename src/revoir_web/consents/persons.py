"""What customers agreed to goes with the person when two customers turn out to be one."""

from __future__ import annotations

from revoir_web.consents.models import Consent
from revoir_web.customers.merging import Along, goes_along

goes_along("consents", Along(Consent))
