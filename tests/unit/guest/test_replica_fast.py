"""The exact fast path: the same bits as scikit-learn's, or scikit-learn."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import ensemble, linear_model, preprocessing, svm
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from studio.guest.serving import fast
from studio.guest.serving.flavors import of_estimator
from studio.guest.serving.mlmodel import MLModel, Signature, parse_signature
from studio.guest.serving.native import NativeModel, quiet
from studio.guest.serving.samples import same_bits

random = np.random.default_rng(5)
X = random.normal(size=(120, 7)) * [1, 10, 0.01, 3, 1e4, 1, 2] + [0, 5, 0, -3, 1e5, 1, 0]
CLASSES = random.integers(3, size=120)
WORDS = np.array(["calm", "rain", "snow"])[CLASSES]
Y = X @ random.normal(size=7) + random.normal(size=120)
SCALER = preprocessing.StandardScaler
FEW = {"n_estimators": 15, "random_state": 0}

# What has a fast path: model, target, function.
HAVE: dict[str, tuple[Any, Any, str]] = {
    "linear": (linear_model.LinearRegression(), Y, "predict"),
    "many targets": (linear_model.LinearRegression(), np.stack([Y, -Y], axis=1), "predict"),
    "ridge": (make_pipeline(SCALER(), linear_model.Ridge()), Y, "predict"),
    "lasso": (make_pipeline(preprocessing.MinMaxScaler(), linear_model.Lasso()), Y, "predict"),
    "elastic net": (make_pipeline(preprocessing.RobustScaler(), linear_model.ElasticNet()), Y, "predict"),
    "support vectors": (make_pipeline(SCALER(), svm.LinearSVR()), Y, "predict"),
    "two classes": (make_pipeline(SCALER(), linear_model.LogisticRegression()), CLASSES > 0, "predict"),
    "chances of two": (make_pipeline(SCALER(), linear_model.LogisticRegression()), CLASSES > 0, "predict_proba"),
    "three classes": (make_pipeline(SimpleImputer(), SCALER(), linear_model.LogisticRegression()), WORDS, "predict"),
    "chances of three": (make_pipeline(SCALER(), linear_model.LogisticRegression()), WORDS, "predict_proba"),
    "descent": (make_pipeline(preprocessing.MaxAbsScaler(), linear_model.SGDClassifier()), WORDS, "predict"),
    "ridge of classes": (make_pipeline(SCALER(), linear_model.RidgeClassifier()), WORDS, "predict"),
    "forest": (ensemble.RandomForestClassifier(**FEW), WORDS, "predict"),
    "chances of a forest": (ensemble.RandomForestClassifier(**FEW), CLASSES, "predict_proba"),
    "extra trees": (make_pipeline(SCALER(), ensemble.ExtraTreesClassifier(**FEW)), CLASSES, "predict"),
    "forest of numbers": (ensemble.RandomForestRegressor(**FEW), Y, "predict"),
    "extra trees of numbers": (ensemble.ExtraTreesRegressor(**FEW), Y, "predict"),
}


def slow_of(model: Any, predict_fn: str) -> Any:
    predict = getattr(model, predict_fn)

    def quietly(rows: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return predict(rows)

    return quietly


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", HAVE)
def test_gives_the_bits_of_scikit_learn(name: str) -> None:
    model, target, predict_fn = HAVE[name]
    model.fit(X, target)
    slow, found = slow_of(model, predict_fn), fast.make(model, predict_fn)
    assert not isinstance(found, str), found
    assert fast.differs(found, slow, X[:3]) == ""
    given = X.copy()
    for rows in (X[:1], X[:2], X, random.normal(size=(64, 7)) * 10.0 ** random.integers(-8, 8, size=(64, 7))):
        assert same_bits(fast.Guarded(found, slow)(rows), slow(rows))
        assert found(rows) is not None
    assert given.tobytes() == X.tobytes()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e308])
@pytest.mark.parametrize("name", ["linear", "ridge", "two classes", "chances of three", "forest", "forest of numbers"])
def test_what_is_not_finite_is_left_to_scikit_learn(name: str, value: float) -> None:
    model, target, predict_fn = HAVE[name]
    model.fit(X, target)
    slow, found = slow_of(model, predict_fn), fast.make(model, predict_fn)
    rows = X[:3].copy()
    rows[1, 2] = value
    guarded = fast.Guarded(found, slow)
    with np.errstate(all="ignore"):
        try:
            expected = slow(rows)
        except ValueError as error:
            with pytest.raises(ValueError, match=str(error)[:20]):
                guarded(rows)
        else:
            assert same_bits(guarded(rows), expected)
    # A wrong width and another type, too.
    assert found(X[:, :6]) is None and found(X.astype("float32")) is None and found(X[:0]) is None


class Shifted(linear_model.LinearRegression):
    def predict(self, X: Any) -> Any:
        return super().predict(X) + 1


class Scaled(preprocessing.StandardScaler):
    def transform(self, X: Any, copy: Any = None) -> Any:
        return super().transform(X, copy) * 2


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (make_pipeline(PCA(2), linear_model.LinearRegression()), "PCA is no step"),
        (make_pipeline(preprocessing.MinMaxScaler(clip=True), linear_model.LinearRegression()), "MinMaxScaler"),
        (make_pipeline(SimpleImputer(add_indicator=True), linear_model.LinearRegression()), "SimpleImputer"),
        (make_pipeline(SCALER(), Shifted()), "Shifted.predict is none"),
        (make_pipeline(Scaled(), linear_model.LinearRegression()), "Scaled is not scikit-learn's"),
        (linear_model.BayesianRidge(), "BayesianRidge.predict is none"),
        (ensemble.GradientBoostingRegressor(n_estimators=3), "GradientBoostingRegressor.predict is none"),
        (make_pipeline(SCALER().set_output(transform="default"), linear_model.LinearRegression()), "output of its own"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_has_none_says_why(model: Any, why: str) -> None:
    found = fast.make(model.fit(X, Y), "predict")
    assert isinstance(found, str) and why in found


def test_a_difference_in_the_last_bit_is_found() -> None:
    model = linear_model.LinearRegression().fit(X, Y)
    found = fast.make(model, "predict")
    assert not isinstance(found, str)

    def nearly(rows: Any) -> Any:
        exact = found(rows)
        return None if exact is None else np.nextafter(exact, np.inf)

    assert "scikit-learn's bits" in fast.differs(nearly, model.predict, X[:3])
    # One that forgets to look at the ends of the numbers.
    assert "the ends" in fast.differs(lambda rows: rows @ model.coef_ + model.intercept_, model.predict, X[:3])


def test_an_example_with_missing_values_is_compared_on_whole_rows() -> None:
    model = make_pipeline(SimpleImputer(), linear_model.LinearRegression()).fit(X, Y)
    rows = X[:3].copy()
    rows[:, 0] = np.nan
    found = fast.make(model, "predict")
    assert not isinstance(found, str)
    assert fast.differs(found, model.predict, rows) == ""
    assert same_bits(fast.Guarded(found, model.predict)(rows), model.predict(rows))


def test_numbers_that_no_array_holds_reach_scikit_learn_as_a_table() -> None:
    table = pd.DataFrame({"rain": X[:, 0], "days": np.arange(120)})
    estimator = ensemble.RandomForestRegressor(**FEW).fit(table, Y)
    signature = parse_signature([{"name": "rain", "type": "double"}, {"name": "days", "type": "long"}])
    described = MLModel(Path(), {}, signature, Signature("none"), None)
    quiet()
    model = NativeModel(described, of_estimator(described, estimator, "sklearn"))

    def body(*rows: list[Any]) -> bytes:
        return json.dumps({"dataframe_split": {"columns": ["rain", "days"], "data": rows}}).encode()

    truth = [estimator.predict(table[at : at + 1])[0] for at in range(3)]
    expected = estimator.predict(pd.DataFrame({"rain": [0.5], "days": [2**60 + 1]}))
    model.check(body(*table[:3].to_numpy().tolist()))
    assert (model.arrays, model.row_wise, model.fast_path) == (True, True, "exact")
    for at in range(3):
        parsed = model.inputs.parse(body(table.iloc[at].tolist()), "application/json")
        assert parsed.data.dtype == "float64" and model.predict(parsed.data).tolist() == [truth[at]]
    large = model.inputs.parse(body([0.5, 2**60 + 1]), "application/json")
    assert isinstance(large.data, pd.DataFrame)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert model.predict(large.data).tolist() == expected.tolist()
