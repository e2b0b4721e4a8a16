"""What the field repeats about retention, its source, and what is said against it."""

from __future__ import annotations

from revoir.language import msg
from revoir.reports.model import Claim

PROFIT_CLAIMS = (
    Claim(
        claim=msg(
            "Often heard: five points more retention raise profit by 25 to 95%. Bain & Company"
            " wrote"
            " “more than 25%”, and of financial services only."
        ),
        source="F. Reichheld, Bain & Company, “Prescription for cutting costs”, 2001",
        url="http://docplayer.net/29016-Prescription-for-cutting-costs.html",
        criticism=msg(
            "Byron Sharp answers that the figure comes from a thought experiment and not from data:"
            " where 10% leave, five points fewer mean that half as many leave."
        ),
        critic="Byron Sharp, Marketing Science, “Loyalty myths”",
        critic_url="https://marketingscience.info/loyalty-myths/",
    ),
    Claim(
        claim=msg(
            "From 1990: five points fewer departures bring 85% more profit in bank branches, 50% in"
            " insurance brokerage, 30% in car service."
        ),
        source="Reichheld & Sasser, Harvard Business Review, 1990",
        url=(
            "https://learninglink.oup.com/access/content/marketing-5e-student-resources/"
            "baines5e-chapter-15-2-research-insights"
        ),
        criticism=msg(
            "Sixteen thousand customers of four companies did not bear it out: loyal customers were"
            " not cheaper to serve, paid no higher prices and did not recommend more."
        ),
        critic="Reinartz & Kumar, Harvard Business Review, 2002",
        critic_url="https://cb.hbsp.harvard.edu/cbmp/product/R0207F-HCB-ENG",
    ),
    Claim(
        claim=msg("Often heard: winning a customer costs 5 to 25 times as much as keeping one."),
        source="Harvard Business Review (A. Gallo); TARP",
        url="https://online.flipbuilder.com/wuay/uvpw/files/basic-html/page55.html",
        criticism=msg(
            "Ron Shevlin answers that the ratio changes with the trade, the product and the"
            " time, and"
            " that nobody can compute it in general: your own costs decide."
        ),
        critic="Ron Shevlin, The Financial Brand",
        critic_url=(
            "https://thefinancialbrand.com/news/snarketing/debunking-marketing-myths-the-cost-of-"
            "acquisition-versus-the-cost-of-retention-46525/"
        ),
    ),
)
"""The claims shown beside the company's own numbers."""
