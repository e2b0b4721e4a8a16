"""Published figures of the models, and what their other implementations say, on CDNOW.

The figures of lifetimes 0.11.3 and PyMC-Marketing 0.19.2 were computed once with the parameters
that stand beside them, on the 2,357 customers of the sample until 1997-09-30, in weeks.
"""

import datetime as dt
import json

import numpy as np
import pytest

import revoir
from revoir.models.bg_bb import BgBb
from revoir.models.bg_nbd import BgNbd
from revoir.models.choosing import backtest
from revoir.models.gamma_gamma import GammaGamma
from revoir.models.mbg_cnbd_k import MbgCnbdK
from revoir.models.mbg_nbd import MbgNbd
from revoir.models.origins import origins
from revoir.models.pareto_nbd import ParetoNbd
from revoir.models.rules import RULES

HISTORIES = (
    [0, 0, 1, 2, 4, 7, 26, 29],
    [0.0, 0.0, 1.71, 30.43, 37.57, 12.0, 30.86, 10.0],
    [38.86, 27.0, 38.86, 38.86, 39.0, 30.0, 31.0, 33.0],
)

LIFETIMES = {
    "bg_nbd": (
        BgNbd.of(r=0.242595, alpha=4.413604, a=0.792922, b=2.425907),
        {
            "sum": 1653.4094106043701,
            "alive": 1917.2776490467766,
            "expected": [
                0.19478240561904747, 0.25897946090108365, 0.20325479411961261, 1.2259070350097623,
                2.65167463529246, 0.29673934124319373, 20.750274836174157, 6.740056314396747e-10,
            ],
            "new": [0.05318437256476024, 0.5336380558825486, 1.1950118665566403, 1.444014596559296],
            "chances": [
                0.5743065976526364, 0.19919274658812877, 0.08532304177721269, 0.04579762938800036,
            ],
        },
    ),
    "mbg_nbd": (
        MbgNbd.of(r=0.524844, alpha=6.183090, a=0.891357, b=1.613990),
        {
            "sum": 1576.7279509456207,
            "alive": 1057.634056703872,
            "expected": [
                0.15395389777527993, 0.220622997561797, 0.18878958837445026, 1.2626692567333435,
                2.629525827665437, 0.3122083735084744, 19.44799368656998, 3.388081679003717e-09,
            ],
            "new": [0.05306027346059829, 0.5350836099163768, 1.1822783650141593, 1.418883237501444],
            "chances": [
                0.5826054662161633, 0.18276384295062315, 0.08687073897897185, 0.04855074565906322,
            ],
        },
    ),
    "pareto_nbd": (
        ParetoNbd.of(r=0.553277, alpha=10.5777, s=0.60624, beta=11.6687),
        {
            "sum": 1665.5116644437912,
            "alive": 1051.8743678243432,
            "expected": [
                0.10705863751118265, 0.1753470283020575, 0.17097849424129657, 1.4550979454034234,
                2.9236994697965666, 0.6250912721121425, 20.115706748335075, 1.7019983595304493e-07,
            ],
            "new": [0.051006287896516025, 0.5313980105034619, 1.2134008710482456,
                    1.4734303294481115],
        },
    ),
}  # fmt: skip

PYMC = {
    "bg_nbd": (
        BgNbd.of(
            r=0.2437233735327441, alpha=4.443738200814327, a=0.7056770266351142,
            b=2.0919450745855523,
        ),
        1682.7662795593546,
        [0.19524392213491076, 0.2595106635672879, 0.19939853809339425, 1.2391953068118504,
         2.7040544783313254, 0.3273327220934119, 21.406103863414817, 7.983435085683949e-10],
        [1.0, 1.0, 0.2075042524161569, 0.7294079549337708, 0.8622636613586908, 0.051348035332323,
         0.9719132370895162, 3.401949418258384e-11],
    ),
    "mbg_nbd": (
        MbgNbd.of(
            r=0.5654556943455736, alpha=6.454330111568105, a=0.8214749139840529,
            b=1.3560142704301612,
        ),
        1593.4182173312402,
        [0.14923098457484943, 0.216005504461442, 0.18498219812625522, 1.2815466978850047,
         2.6745318986574698, 0.34097836073398724, 19.833388858137887, 4.767588431963609e-09],
        [0.35416132293216795, 0.39431399754253244, 0.16392231413551162, 0.7066861499177157,
         0.849276299615124, 0.055691081349020205, 0.9678948065294452, 2.1790270316497544e-10],
    ),
    "pareto_nbd": (
        ParetoNbd.of(
            r=0.559621330877452, alpha=10.59123802892591, s=0.5503049929252167,
            beta=9.756017285337187,
        ),
        1697.8622920894024,
        [0.1089283290230775, 0.17735087632721377, 0.17307468953126756, 1.4856262179508934,
         2.9633203846022886, 0.6499443905517651, 20.357287074069657, 1.7673323703987962e-07],
        [0.2935860298872075, 0.379223192621844, 0.16737985965531746, 0.8754322462846765,
         0.9826345000584392, 0.10968470231595183, 0.998021047605731, 8.099464939181631e-09],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def sample(reference_data):
    return revoir.read(reference_data / "cdnow/CDNOW_sample.txt")


@pytest.fixture(scope="module")
def cdnow(sample):
    """The 2,357 customers as of 1997-09-30, and their purchases in the 39 weeks after."""
    (found,) = origins(sample, [dt.date(1997, 9, 30)], 273)
    return found


@pytest.fixture(scope="module")
def weeks(cdnow):
    return cdnow.frequency, cdnow.recency / 7, cdnow.T / 7


pytestmark = pytest.mark.reference


def test_the_sample_is_the_published_one(cdnow):
    assert len(cdnow.T) == 2_357
    assert (cdnow.frequency > 0).sum() == 946
    assert cdnow.after.sum() == 1_882


@pytest.mark.parametrize(
    ("model", "parameters", "log_likelihood"),
    [
        (BgNbd, {"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259}, -9582.4292),
        (ParetoNbd, {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}, -9594.976),
        (MbgNbd, {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}, -9582.1357),
    ],
)
@pytest.mark.parametrize("prior_customers", [0, 100])
def test_published_parameters(weeks, model, parameters, log_likelihood, prior_customers):
    found = model(prior_customers=prior_customers).fit(*weeks)
    digits = len(str(parameters["r"])) - 2
    for name, value in parameters.items():
        assert round(found.parameters_[name], digits) == pytest.approx(value, abs=1.1e-4)
    digits = len(str(log_likelihood).split(".")[1])
    assert found.log_likelihood_ == pytest.approx(log_likelihood, abs=0.6 * 10**-digits)
    assert found.converged_


def test_standard_errors_are_those_of_lifetimes(weeks):
    """From its numerical Hessian, on the same scale."""
    errors = BgNbd(prior_customers=0).fit(*weeks).standard_errors_
    assert [errors[name] for name in ("r", "alpha", "a", "b")] == pytest.approx(
        [0.012557, 0.378224, 0.185734, 0.705410], rel=1e-3
    )


def test_published_figures_of_the_pareto_nbd_walkthrough(weeks):
    """BTYD walkthrough: a new customer in 52 weeks; customer 1516."""
    model = ParetoNbd(prior_customers=0).fit(*weeks)
    assert model.expected_purchases_of_new(52)[0] == pytest.approx(1.473434, abs=2e-4)
    assert model.expected_purchases(52, [26], [30.86], [31])[0] == pytest.approx(25.456, abs=2e-3)
    assert model.p_alive([26], [30.86], [31])[0] == pytest.approx(0.99787, abs=1e-4)


def test_published_gamma_gamma(cdnow):
    model = GammaGamma(prior_customers=0).fit(cdnow.frequency, cdnow.monetary_value)
    assert model.parameters_ == {
        "p": pytest.approx(6.25, abs=0.005),
        "q": pytest.approx(3.74, abs=0.005),
        "v": pytest.approx(15.45, abs=0.01),
    }
    # lifetimes 0.11.3 with p 6.25, q 3.74, v 15.44.
    model = GammaGamma.of(p=6.25, q=3.74, v=15.44)
    back = cdnow.frequency > 0
    spent = model.expected_value(cdnow.frequency[back], cdnow.monetary_value[back])
    assert spent.sum() == pytest.approx(33473.60271469267, rel=1e-6)


@pytest.mark.parametrize("name", LIFETIMES)
def test_what_lifetimes_expects(weeks, name):
    model, told = LIFETIMES[name]
    assert model.expected_purchases(39, *weeks).sum() == pytest.approx(told["sum"], rel=1e-6)
    assert model.p_alive(*weeks).sum() == pytest.approx(told["alive"], rel=1e-6)
    assert model.expected_purchases(39, *HISTORIES) == pytest.approx(told["expected"], rel=1e-6)
    assert model.expected_purchases_of_new([1, 13, 39, 52]) == pytest.approx(told["new"], rel=1e-6)
    if "chances" in told:
        assert model.chances(39, 3)[0] == pytest.approx(told["chances"], rel=1e-6)


@pytest.mark.parametrize("name", PYMC)
def test_what_pymc_marketing_expects(weeks, name):
    model, total, expected, alive = PYMC[name]
    assert model.expected_purchases(39, *weeks).sum() == pytest.approx(total, rel=1e-6)
    assert model.expected_purchases(39, *HISTORIES) == pytest.approx(expected, rel=1e-6)
    assert model.p_alive(*HISTORIES) == pytest.approx(alive, rel=1e-6)


DONORS = (
    (6, 6, 1203), (5, 6, 728), (4, 6, 512), (3, 6, 357), (2, 6, 234), (1, 6, 129), (5, 5, 335),
    (4, 5, 284), (3, 5, 225), (2, 5, 173), (1, 5, 119), (4, 4, 240), (3, 4, 181), (2, 4, 155),
    (1, 4, 78), (3, 3, 322), (2, 3, 255), (1, 3, 129), (2, 2, 613), (1, 2, 277), (1, 1, 1091),
    (0, 0, 3464),
)  # fmt: skip
"""Donations of six years by 11,104 donors: Fader, Hardie & Shang (2010), table 1."""


def test_published_bg_bb():
    x, t_x = (np.repeat([row[n] for row in DONORS], [row[2] for row in DONORS]) for n in (0, 1))
    model = BgBb(prior_customers=0).fit(x, t_x, np.full(len(x), 6))
    assert model.parameters_ == {
        "alpha": pytest.approx(1.204, abs=6e-4),
        "beta": pytest.approx(0.750, abs=6e-4),
        "gamma": pytest.approx(0.657, abs=6e-4),
        "delta": pytest.approx(2.783, abs=6e-4),
    }
    assert model.log_likelihood_ == pytest.approx(-33225.6, abs=0.05)
    # lifetimes 0.11.3 with the parameters as published.
    model = BgBb.of(alpha=1.204, beta=0.75, gamma=0.657, delta=2.783)
    histories = ([6, 5, 0, 1, 3], [6, 6, 0, 1, 4], [6] * 5)
    assert model.expected_purchases(5, *histories) == pytest.approx(
        [3.75211561, 3.23127779, 0.07280288, 0.0856354, 1.0342285], rel=2e-6
    )
    assert model.p_alive(*histories) == pytest.approx(
        [0.930402542372872, 0.9304025423728004, 0.10801658416867378, 0.06940809320654884,
         0.43946285705567345], rel=1e-9,
    )  # fmt: skip


def accuracy(expected, actual):
    apart = expected - actual
    correlation = float(np.corrcoef(expected, actual)[0, 1])
    return np.abs(apart).mean(), float((apart**2).mean()), expected.sum(), correlation


def test_weeks_40_to_78_are_foretold_as_in_the_literature(cdnow, weeks):
    """Correlations of 0.626 (BG/NBD) and 0.630 (Pareto/NBD): Fader, Hardie & Lee (2005).

    A mean squared error of 2.57 for Pareto/NBD: Abe (2009), Marketing Science 28, 541–553.
    """
    published = {BgNbd: (0.626, 2.60), ParetoNbd: (0.630, 2.58), MbgNbd: (0.625, 2.60)}
    errors = {}
    for model, (correlation, squared) in published.items():
        expected = model().fit(*weeks).expected_purchases(39, *weeks)
        mae, mse, total, found = accuracy(expected, cdnow.after)
        errors[model] = mae
        assert found == pytest.approx(correlation, abs=3e-3)
        assert mse <= squared
        assert total == pytest.approx(cdnow.after.sum(), rel=0.18)
    assert errors[ParetoNbd] == pytest.approx(0.7545, abs=5e-4)
    rules = {rule.name: accuracy(rule.predict(cdnow), cdnow.after) for rule in RULES}
    # Every model beats both rules, one by one and in all.
    assert all(mae > max(errors.values()) for mae, *_ in rules.values())
    assert all(mse > 2.8 for _, mse, *_ in rules.values())


@pytest.mark.parametrize(
    ("path", "wins"),
    [
        ("cdnow/CDNOW_sample.txt", True),
        ("completejourney/transactions_sample.csv.gz", True),
        # A gift shop before Christmas: what customers did in the months before is as good a guide.
        ("online_retail/online_retail.parquet", False),
    ],
)
def test_models_and_rules_on_real_shops(reference_data, path, wins):
    book = revoir.read(reference_data / path)
    tested = backtest(book, ["mbg_nbd", "mbg_cnbd_k"], 365)
    best = max(tested.gain("mbg_nbd"), tested.gain("mbg_cnbd_k"))
    assert (best > 0.02) == wins
    assert best > -0.05


def test_cdnow_buyers_are_not_regular(cdnow):
    found = MbgCnbdK().fit_counts(cdnow.counts, log_gaps=cdnow.log_gaps)
    assert found.k_ == 1


def test_the_command_line_says_the_same(command, reference_data):
    path = reference_data / "cdnow/CDNOW_sample.txt"
    options = ["--model", "bg_nbd", "--as-of", "1997-09-30", "--unit", "week", "--horizon", "39w"]
    done = command("clv", path, *options, "--format", "json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert {name: round(value, 4) for name, value in answer["parameters"].items()} == {
        "r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259,
    }  # fmt: skip
    assert answer["log_likelihood"] == pytest.approx(-9582.4292, abs=1e-4)
    assert len(answer["customers"]) == 2_357
    assert answer["total_purchases"] == pytest.approx(1653.41, abs=0.01)
