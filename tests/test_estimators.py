"""The estimators of scikit-learn: what their methods give, and what they refuse."""

import pickle
import random
import subprocess
import sys

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.estimators import (
    AAEClassifier,
    AAEClusterer,
    AAEDetector,
    AAESampler,
    AAETransformer,
    base,
)

SMALL = {
    "hidden_units": 6,
    "epochs": 1,
    "batch_size": 30,
    "settings": {"hidden_layers": 1},
    "random_state": 0,
}
ALL = [AAEClassifier, AAEClusterer, AAEDetector, AAESampler, AAETransformer]


pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture(scope="module")
def x():
    """Numbers, a column of 0 and 1, and missing values."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 5))
    x[:, 3] = x[:, 0] > 0.5
    x[::7, 1] = np.nan
    return x


@pytest.fixture(scope="module")
def y(x):
    """Classes that follow from the first column, half of them unknown."""
    return np.where(np.arange(60) % 2, -1, (x[:, 0] > 0).astype(int))


def results(estimator, x):
    """What each method of a fitted estimator gives for rows."""
    calls = {name: [x] for name in ("transform", "predict", "predict_proba", "score_samples")}
    calls["sample"] = [9, 0]
    return {
        name: np.asarray(getattr(estimator, name)(*arguments))
        for name, arguments in calls.items()
        if hasattr(estimator, name)
    }


@pytest.mark.parametrize("kind", ALL)
def test_a_copy_and_a_second_fit_give_the_same(kind, x, y, tmp_path):
    estimator = kind(**SMALL).fit(x, y)
    expected = results(estimator, x)
    path = tmp_path / "estimator.joblib"
    joblib.dump(estimator, path)
    again = sklearn.clone(estimator).fit(x, y)
    for other in (pickle.loads(pickle.dumps(estimator)), joblib.load(path), again):
        assert repr(other) == repr(estimator)
        for name, values in results(other, x).items():
            np.testing.assert_array_equal(values, expected[name], name)
    # The pickle holds the archive of Keras, and no object of it.
    assert isinstance(estimator.__getstate__()["model_"], bytes)


@pytest.mark.slow
def test_a_saved_estimator_is_read_in_another_process(x, tmp_path):
    estimator = AAETransformer(**SMALL).fit(x)
    with (tmp_path / "estimator").open("wb") as file:
        pickle.dump((estimator, x, estimator.transform(x)), file)
    code = (
        "import pickle, sys; import numpy as np\n"
        "estimator, x, z = pickle.load(open(sys.argv[1], 'rb'))\n"
        "np.testing.assert_allclose(estimator.transform(x), z, rtol=1e-5, atol=1e-6)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "estimator"], check=True, timeout=300)


def test_a_training_leaves_the_global_generators_alone(x):
    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.random()
    random.seed(1)
    np.random.seed(1)
    AAETransformer(**SMALL).fit(x)
    assert (random.random(), np.random.random()) == expected


def test_a_pipeline_and_a_search(x, y):
    known = y != -1
    transformer = AAETransformer(**SMALL | {"batch_size": 15})
    pipeline = make_pipeline(StandardScaler(), transformer, LogisticRegression())
    search = GridSearchCV(pipeline, {"aaetransformer__z_dim": np.array([1, 2])}, cv=2)
    search.fit(np.nan_to_num(x)[known], y[known])
    assert set(search.best_params_) == {"aaetransformer__z_dim"}
    assert search.predict(np.nan_to_num(x)).shape == (60,)


def test_the_columns_of_a_dataframe(people):
    pd = pytest.importorskip("pandas")
    numbers = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["age", "income"]),
            ("jobs", OneHotEncoder(sparse_output=False), ["job"]),
        ]
    )
    pipeline = make_pipeline(numbers, AAETransformer(3, **SMALL)).set_output(transform="pandas")
    codes = pipeline.fit_transform(people)
    names = [f"aaetransformer{i}" for i in range(3)]
    assert list(codes.columns) == names == list(pipeline.get_feature_names_out())
    assert codes.index.equals(people.index)
    assert pipeline[-1].n_features_in_ == 6  # A missing job is one more category.
    assert list(pipeline[-1].feature_names_in_[:2]) == ["numbers__age", "numbers__income"]
    restored = pipeline[-1].inverse_transform(codes)
    assert list(restored.columns) == list(pipeline[-1].feature_names_in_)
    assert set(pd.unique(restored["jobs__job_doctor"])) <= {0.0, 1.0}


@pytest.mark.parametrize("sampler", ["prior", "gaussian_mixture"])
def test_synthetic_rows_have_the_types_of_a_dataframe(people, sampler):
    pd = pytest.importorskip("pandas")
    estimator = AAESampler(2, sampler=sampler, **SMALL).fit(people)
    rows = estimator.sample(40, random_state=1)
    assert list(rows.columns) == list(people.columns)
    assert rows["age"].dtype == people["age"].dtype
    assert list(rows["size"].cat.categories) == ["s", "m", "l"]
    assert set(rows["job"].dropna()) <= {"none", "farmer", "doctor"}
    pd.testing.assert_frame_equal(rows, estimator.sample(40, random_state=1))
    assert not rows.equals(estimator.sample(40, random_state=2))
    # The same columns as numbers alone.
    numbers = people[["age", "zero", "weight"]]
    rows = AAESampler(2, sampler=sampler, **SMALL).fit(numbers).sample(5, random_state=0)
    assert rows.dtypes.to_dict() == numbers.dtypes.to_dict()


def test_names_of_columns_need_not_be_texts(x):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    numbers = pd.DataFrame(x[:, [0, 2]], columns=[3, 7])
    sampler = AAESampler(2, **SMALL).fit(numbers)
    assert list(sampler.sample(4).columns) == [3, 7]
    assert list(pickle.loads(pickle.dumps(sampler)).sample(4).columns) == [3, 7]
    mixed = pd.DataFrame({3: x[:, 0], 7: x[:, 2], 9: list("xyz") * 20})
    assert list(AAESampler(2, **SMALL).fit(mixed).sample(4).columns) == [3, 7, 9]
    codes = AAETransformer(2, **SMALL).fit(mixed)
    assert list(codes.inverse_transform(codes.transform(mixed)).columns) == [3, 7, 9]
    with pytest.raises(InputError, match="must have different names. Received: 3"):
        AAESampler(2, **SMALL).fit(pd.DataFrame(x[:, :2], columns=[3, 3]))


def test_floats_of_0_and_1_stay_floats(x):
    pd = pytest.importorskip("pandas")
    flags = np.where(np.isnan(x[:, 1]), np.nan, x[:, 3])
    frame = pd.DataFrame({"f": flags.astype("float32"), "d": flags, "n": x[:, 0]})
    rows = AAESampler(2, **SMALL).fit(frame).sample(50, random_state=0)
    assert rows.dtypes.to_dict() == frame.dtypes.to_dict()
    assert set(rows["f"].dropna()) <= {0.0, 1.0}


def test_a_sampler_that_is_changed_after_the_fit(x):
    estimator = AAESampler(2, sampler="prior", **SMALL).fit(x)
    with pytest.raises(InputError, match="needs a fit with it"):
        estimator.set_params(sampler="gaussian_mixture").sample(3)
    with pytest.raises(InputError, match="Did you mean prior"):
        estimator.set_params(sampler="piror").sample(3)
    mixture = estimator.set_params(sampler="gaussian_mixture").fit(x).mixture_
    assert mixture.n_features_in_ == 2
    assert not hasattr(estimator.set_params(sampler="prior").fit(x), "mixture_")
    assert estimator.sample(3).shape == (3, 5)


def test_a_detector_that_cannot_be_fitted_is_not_trained(x, people, monkeypatch):
    monkeypatch.setattr(base, "_trained", None)
    for contamination in (0.6, 0, np.nan, "auto"):
        with pytest.raises(InputError, match="contamination must be above 0 and at most 0.5"):
            AAEDetector(contamination=contamination).fit(x)
    with pytest.raises(InputError, match="kind must be one of"):
        AAEDetector(kind="all").fit(x)
    with pytest.raises(ValueError, match="a minimum of 10 is required"):
        AAEDetector().fit(x[:9])
    with pytest.raises(InputError, match="at least 10 rows"):
        AAEDetector().fit(people[:9])


def test_unknown_categories_and_numbers_are_missing_with_a_warning(people, x):
    estimator = AAETransformer(**SMALL).fit(people[["age", "job"]])
    other = people[["age", "job"]].assign(job="pilot")
    with pytest.warns(UserWarning, match="job did not occur in training, such as pilot"):
        z = estimator.transform(other)
    assert np.isfinite(z).all()
    with pytest.raises(InputError, match="must be a DataFrame with texts in column job"):
        estimator.transform(np.zeros((2, 2)))
    # pandas gives a column of texts that are all missing the type of numbers.
    unknown = other.assign(job=np.nan)
    np.testing.assert_allclose(estimator.transform(unknown), z, rtol=1e-5, atol=1e-6)
    estimator = AAETransformer(**SMALL).fit(x)
    changed = x.copy()
    changed[:2, 3] = 0.5, 2
    with pytest.warns(UserWarning, match="2 values of column column_4 did not occur"):
        changed_codes = estimator.transform(changed)
    np.testing.assert_allclose(changed_codes[2:], estimator.transform(x)[2:], rtol=1e-4, atol=1e-5)


def test_settings_reach_the_training(x):
    settings = {"prior": "uniform", "hidden_layers": np.int64(1)}
    estimator = AAETransformer(3, **SMALL | {"settings": settings})
    model = estimator.fit(x).model_
    assert model.z_dim == 3
    assert type(model.prior).__name__ == "Uniform"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"z_dim": 0}, "z_dim must be at least 1"),
        ({"model": "vea"}, "Did you mean vae"),
        ({"settings": {"dropuot": 0.1}}, "Did you mean dropout"),
        ({"settings": {"image_size": "8"}}, "must be settings of a training on tables"),
        ({"settings": {"z_dim": 3}}, "tables. z_dim is a parameter of AAETransformer. Rec"),
        ({"settings": ["dropout"]}, "settings must be a dict"),
        ({"settings": {"prior_radius": 3.0}}, "prior_radius needs --prior"),
        ({"settings": {"reconstruction_loss": "bce"}}, "needs images"),
        ({"batch_size": 61}, "batch_size must be at most the 60"),
        ({"epochs": "2"}, "epochs must be of type int"),
    ],
)
def test_parameters_that_cannot_be_used_are_refused(parameters, message, x):
    with pytest.raises(InputError, match=message) as error:
        AAETransformer(**SMALL | parameters).fit(x)
    assert len(str(error.value).splitlines()) == 1


def test_labels_and_rows_that_cannot_be_used_are_refused(x, y):
    with pytest.raises(InputError, match="at least 2 classes, and -1 for unlabelled"):
        AAEClassifier(**SMALL).fit(x, np.where(y == 1, 1, -1))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        AAEClassifier(**SMALL).fit(x, y[:-1])
    with pytest.raises(InputError, match="at least 61 images in a minibatch"):
        AAEClusterer(num_clusters=61, **SMALL | {"batch_size": None}).fit(x)
    texts = np.array(["yes" if label == 1 else None for label in y], object)
    with pytest.raises(InputError, match="for unlabelled, for each row. Received: None"):
        AAEClassifier(**SMALL).fit(x, texts)
    with pytest.raises(InputError, match="Did you mean prior"):
        AAESampler(sampler="piror", **SMALL).fit(x)
    sampler = AAESampler(2, **SMALL).fit(x)
    for n in (0, "3", 2.5):
        with pytest.raises(InputError, match="n_samples must be a whole number"):
            sampler.sample(n)
    with pytest.raises(NotFittedError):
        AAESampler().sample()
    with pytest.raises(InputError, match=r"shape \(n, 2\)"):
        AAETransformer(**SMALL).fit(x).inverse_transform(np.zeros((2, 5)))


@pytest.mark.parametrize(("dtype", "unlabelled"), [(None, -1), (object, -1), (object, "-1")])
def test_texts_as_classes(x, y, dtype, unlabelled):
    """NumPy makes the text "-1" of -1 in a list with texts."""
    names = [unlabelled if label == -1 else ["no", "yes"][label] for label in y]
    names = names if dtype is None else np.array(names, dtype)
    classifier = AAEClassifier(**SMALL).fit(x, names)
    assert classifier.classes_.tolist() == ["no", "yes"]
    assert set(classifier.predict(x)) <= {"no", "yes"}
    np.testing.assert_allclose(classifier.predict_proba(x).sum(axis=1), 1)


def test_the_detector_marks_the_given_share_of_its_rows(x, monkeypatch):
    x = x[x[:, 0].argsort()]
    monkeypatch.setattr("adversarial_autoencoder.evaluation.anomaly.scorer.MAX_ITEMS", 20)
    detector = AAEDetector(contamination=0.1, **SMALL).fit(x)
    assert (detector.predict(x) == -1).sum() == 6
    assert detector.predict([[40.0, 40.0, 40.0, 1.0, 40.0]]) == -1
    np.testing.assert_array_equal(
        detector.decision_function(x), detector.score_samples(x) - detector.offset_
    )
