"""First uses, made once by the fork server (importing this makes them): what a library looks up at its first use, every
fork would look up again.

scikit-learn asks narwhals what a table is, and narwhals then reads the entry points of all that is installed: some
25 ms of each first prediction or fit.
"""

import sys


def _scikit_learn() -> None:
    import pandas
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    table = pandas.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 0.0, 1.0]})
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(table, [0, 1, 1])
    model.predict(table)
    model.predict(table.to_numpy())


if {"pandas", "sklearn.linear_model", "sklearn.pipeline"} <= sys.modules.keys():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _scikit_learn()
