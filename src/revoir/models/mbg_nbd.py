"""MBG/NBD: buys at random, and may leave after each purchase, the first one too.

Batislam, Denizel & Filiztekin (2007), Empirical validation and comparison of models for customer
base analysis, International Journal of Research in Marketing 24, 201–209; the same as CBG/NBD of
Hoppe & Wagner (2007), Marketing: Journal of Research and Management 3, 75–90. As BG/NBD, but
whoever bought once may have left there and then: P(alive) of one-time buyers is less than 1, and
falls with time.
"""

from __future__ import annotations

from typing import ClassVar

from revoir.models.bg_nbd import BgNbd


class MbgNbd(BgNbd):
    """The MBG/NBD model; for its arguments and attributes see `TransactionModel`.

    Source:
        Batislam, Denizel & Filiztekin (2007): likelihood and expectations of the appendix.

    Examples:
        >>> model = MbgNbd.of(r=0.525, alpha=6.183, a=0.891, b=1.614)  # CDNOW, weeks
        >>> model.p_alive([0, 0], [0, 0], [1, 38.86]).round(2).tolist()
        [0.63, 0.39]
    """

    name = "mbg_nbd"
    label = "MBG/NBD"
    source = "Batislam, Denizel & Filiztekin (2007), IJRM 24, 201–209"

    _at_first: ClassVar[int] = 1
