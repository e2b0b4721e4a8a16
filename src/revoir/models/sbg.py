"""sBG: at each renewal a customer leaves with a probability of their own.

Fader & Hardie (2007), How to Project Customer Retention, Journal of Interactive Marketing 21,
76–90. The probability θ ~ Beta(α, β) differs between customers and does not change for one; the
retention rate of a cohort rises all the same, because those likely to leave leave first.
"""

from __future__ import annotations

import numpy as np

from revoir.models.contracts import ContractModel
from revoir.models.counts import Floats


class Sbg(ContractModel):
    """The shifted-beta-geometric model; for its arguments and attributes see `ContractModel`.

    Source:
        Fader & Hardie (2007): S(t) eq. 6, retention rate eq. 8.

    Examples:
        >>> regular = [1000, 631, 468, 382, 326, 289, 262, 241]
        >>> model = Sbg(prior_customers=0).fit_survivors(regular)
        >>> {name: round(value, 3) for name, value in model.parameters_.items()}
        {'alpha': 0.704, 'beta': 1.182}
        >>> (1000 * model.survival(12)).round().tolist()
        170.0
    """

    name = "sbg"
    label = "sBG"
    names = ("alpha", "beta")
    source = "Fader & Hardie (2007), Journal of Interactive Marketing 21, 76–90"
    _medians = (1.0, 5.0)
    _spread = (1.2, 1.8)

    def _log_survival(self, theta: Floats, t: Floats) -> tuple[Floats, Floats]:
        from scipy.special import betaln, digamma

        alpha, beta = theta
        whole = digamma(alpha + beta) - digamma(alpha + beta + t)
        value = betaln(alpha, beta + t) - betaln(alpha, beta)
        return value, np.stack([whole, whole + digamma(beta + t) - digamma(beta)])
