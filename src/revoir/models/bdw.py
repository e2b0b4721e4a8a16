"""BdW: as sBG, but a customer's readiness to leave grows or fades with time.

Fader, Hardie, Liu, Davin & Steenburgh (2018), “How to Project Customer Retention” Revisited: The
Role of Duration Dependence, Journal of Interactive Marketing 43, 1–16. One customer's lifetime is
discrete Weibull: S(t | θ) = (1 − θ)^(t^c), θ ~ Beta(γ, δ). With c > 1 the risk grows with time,
with c < 1 it fades; c = 1 is sBG.
"""

from __future__ import annotations

import numpy as np

from revoir.models.contracts import ContractModel
from revoir.models.counts import Floats


class Bdw(ContractModel):
    """The beta-discrete-Weibull model; for its arguments and attributes see `ContractModel`.

    Source:
        Fader, Hardie, Liu, Davin & Steenburgh (2018): S(t) = B(γ, δ + t^c) / B(γ, δ).

    Examples:
        >>> Bdw.of(gamma=0.704, delta=1.182, c=1.0).survival([0, 7]).round(3).tolist()
        [1.0, 0.239]
    """

    name = "bdw"
    label = "BdW"
    names = ("gamma", "delta", "c")
    source = (
        "Fader, Hardie, Liu, Davin & Steenburgh (2018), Journal of Interactive Marketing 43, 1–16"
    )
    _medians = (1.0, 5.0, 1.0)
    _spread = (1.2, 1.8, 0.4)

    def _log_survival(self, theta: Floats, t: Floats) -> tuple[Floats, Floats]:
        from scipy.special import betaln, digamma

        gamma, delta, c = theta
        worn = t**c
        whole = digamma(gamma + delta) - digamma(gamma + delta + worn)
        later = digamma(delta + worn) - digamma(gamma + delta + worn)
        value = betaln(gamma, delta + worn) - betaln(gamma, delta)
        by_c = later * worn * np.log(np.where(t > 0, t, 1.0))
        return value, np.stack([whole, whole + digamma(delta + worn) - digamma(delta), by_c])
