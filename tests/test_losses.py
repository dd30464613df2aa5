"""Losses against closed forms."""

import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder import losses


def logit(p):
    return np.log(p / (1 - p)).astype("float32")


def test_the_information_loss_is_0_if_y_is_certain_and_follows_the_prior():
    sure, even = 100 * np.eye(4, dtype="float32"), np.full(4, 0.25, "float32")
    assert float(losses.information_loss(sure, even)) == pytest.approx(0, abs=1e-6)
    guessed = np.zeros((6, 4), "float32")
    assert float(losses.information_loss(guessed, even)) == pytest.approx(np.log(4))
    # All images are certain of one value: the KL divergence of (1, 0, 0, 0) from equal shares.
    one = float(losses.information_loss(sure[[0, 0, 0]], even))
    assert one == pytest.approx(losses.SHARES_WEIGHT * np.log(4), rel=1e-5)
    # Certain, with the shares of the prior.
    shares = np.array([0.5, 0.25, 0.25], "float32")
    sure = 100 * np.eye(3, dtype="float32")[[0, 0, 1, 2]]
    assert float(losses.information_loss(sure, shares)) == pytest.approx(0, abs=1e-6)


def test_the_information_loss_equals_its_formula():
    q = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]])
    shares, mean = np.array([0.2, 0.3, 0.5]), q.mean(axis=0)
    expected = -(q * np.log(q)).sum(axis=1).mean()
    expected += losses.SHARES_WEIGHT * (mean * np.log(mean / shares)).sum()
    logits = (np.log(q) + 3).astype("float32")
    loss = float(losses.information_loss(logits, shares.astype("float32")))
    assert loss == pytest.approx(expected, rel=1e-5)


def test_mean_squared_error_applies_a_sigmoid_to_the_logits():
    x = np.array([[0.0, 1.0]], "float32")
    loss = losses.mean_squared_error(x, logit(np.array([[0.25, 0.5]])))
    assert float(loss) == pytest.approx((0.25**2 + 0.5**2) / 2, rel=1e-5)


def test_binary_cross_entropy_of_logits_is_finite_for_large_logits():
    x = np.array([[0.0, 1.0]], "float32")
    loss = losses.binary_cross_entropy(x, logit(np.array([[0.25, 0.5]])))
    assert float(loss) == pytest.approx(-(np.log(0.75) + np.log(0.5)) / 2, rel=1e-5)
    assert losses.binary_cross_entropy(x, np.array([[500.0, -500.0]], "float32")) == 500.0


def test_the_discriminator_loss_of_a_guess_is_2_log_2():
    loss = losses.non_saturating_discriminator(np.zeros((4, 1)), np.zeros((4, 1)))
    assert float(loss) == pytest.approx(2 * np.log(2))


def test_prior_samples_are_real_and_codes_are_fake():
    sure = np.full((4, 1), 10.0)
    assert losses.non_saturating_discriminator(sure, -sure) < 1e-3
    assert losses.non_saturating_discriminator(-sure, sure) > 19


def test_adversarial_losses_equal_their_formulas():
    real, fake = np.array([[0.9], [0.6]]), np.array([[0.2], [0.5]])
    discriminator = float(losses.non_saturating_discriminator(logit(real), logit(fake)))
    expected = -np.mean(np.log(real)) - np.mean(np.log(1 - fake))
    assert discriminator == pytest.approx(expected, rel=1e-5)
    generator = float(losses.non_saturating_generator(logit(fake)))
    assert generator == pytest.approx(-np.mean(np.log(fake)), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "chance", "generator"),
    [
        ("non_saturating", 2 * np.log(2), np.log(2)),
        ("hinge", 2.0, 0.0),
        ("wasserstein_gp", 0.0, 0.0),
    ],
)
def test_adversarial_losses_when_all_logits_are_0(name, chance, generator):
    game, zeros = losses.ADVERSARIAL[name], np.zeros((4, 1))
    assert float(game.discriminator(zeros, zeros)) == pytest.approx(chance)
    assert float(game.generator(zeros)) == pytest.approx(generator)


def test_least_squares_is_least_at_its_targets():
    game, ones, zeros = losses.ADVERSARIAL["least_squares"], np.ones((4, 1)), np.zeros((4, 1))
    assert float(game.discriminator(ones, zeros)) == 0
    assert float(game.discriminator(ones / 2, ones / 2)) == pytest.approx(0.25)
    assert float(game.generator(ones)) == 0
    assert float(game.generator(zeros)) == pytest.approx(0.5)


@pytest.mark.parametrize("name", losses.ADVERSARIAL)
def test_each_adversarial_loss_rewards_the_right_answers(name):
    game, high, low = losses.ADVERSARIAL[name], np.full((4, 1), 0.8), np.full((4, 1), -0.8)
    assert float(game.discriminator(high, low)) < float(game.discriminator(low, high))
    assert float(game.generator(high)) < float(game.generator(low))


def test_gradient_penalty_is_0_for_gradients_of_length_1():
    assert float(losses.gradient_penalty(np.array([[0.6, 0.8], [1.0, 0.0]]))) < 1e-10
    assert float(losses.gradient_penalty(np.array([[3.0, 4.0]]))) == pytest.approx(16.0)


LABELS = np.array([2, -1, 0, 1, -1], "int32")
SCORES = np.array(
    [[0.0, 1.0, 3.0], [9.0, 0.0, 0.0], [2.0, 2.5, 0.0], [0.0, 4.0, 1.0], [0.0, 9.0, 0.0]], "float32"
)


def test_cross_entropy_is_the_mean_over_the_labelled_images():
    log_softmax = SCORES - np.log(np.exp(SCORES).sum(axis=1, keepdims=True))
    expected = -(log_softmax[0, 2] + log_softmax[2, 0] + log_softmax[3, 1]) / 3
    assert float(losses.cross_entropy(LABELS, SCORES)) == pytest.approx(expected, rel=1e-5)


def test_accuracy_is_the_share_of_the_labelled_images_given_their_class():
    assert float(losses.accuracy(LABELS, SCORES)) == pytest.approx(2 / 3)


def test_unlabelled_images_do_not_count():
    other = SCORES.copy()
    other[LABELS < 0] = [[1.0, 2.0, 3.0], [50.0, -50.0, 0.0]]
    for loss in (losses.cross_entropy, losses.accuracy):
        assert float(loss(LABELS, SCORES)) == float(loss(LABELS, other))


def test_a_batch_without_labels_has_no_loss_and_no_gradient():
    scores, labels = tf.constant(SCORES), np.full(5, -1, "int32")
    with tf.GradientTape() as tape:
        tape.watch(scores)
        loss = losses.cross_entropy(labels, scores)
    assert float(loss) == 0
    assert np.array_equal(tape.gradient(loss, scores), np.zeros_like(SCORES))
    assert float(losses.accuracy(labels, SCORES)) == 0


def test_gaussian_kl_equals_its_closed_form():
    mean, std = np.array([[0.5, -2.0], [0.0, 1.0]]), np.array([[1.0, 0.2], [3.0, 2.0]])
    expected = np.log(2.0 / std) + (std**2 + mean**2) / (2 * 2.0**2) - 0.5
    kl = losses.gaussian_kl(mean.astype("float32"), np.log(std**2).astype("float32"), 2.0)
    assert float(kl) == pytest.approx(expected.sum(axis=1).mean(), rel=1e-5)


def test_the_gaussian_kl_of_a_variance_too_small_for_a_float_is_finite():
    kl = losses.gaussian_kl(tf.zeros((1, 1)), tf.constant([[-200.0]]), 1.0)
    assert float(kl) == pytest.approx(0.5 * (200 - 1))


def test_gaussian_kl_is_0_only_for_the_prior_itself():
    zeros = np.zeros((3, 2), "float32")
    log_variance = np.full((3, 2), np.log(25.0), "float32")
    assert float(losses.gaussian_kl(zeros, log_variance, 5.0)) == pytest.approx(0, abs=1e-6)
    assert float(losses.gaussian_kl(zeros, log_variance, 4.9)) > 1e-4
    assert float(losses.gaussian_kl(zeros + 0.1, log_variance, 5.0)) > 1e-4


def slow_mmd(z, z_prior):
    """MMD^2 pair by pair, as in algorithm 2 of Tolstikhin et al. 2018."""
    n, scale = len(z), 2 * z_prior.var(axis=0).sum()

    def kernel(a, b):
        squared = ((a - b) ** 2).sum()
        factors = [0.1, 0.2, 0.5, 1, 2, 5, 10]
        return np.mean([scale * f / (scale * f + squared) for f in factors])

    within = across = 0.0
    for i in range(n):
        for j in range(n):
            if i != j:
                within += kernel(z[i], z[j]) + kernel(z_prior[i], z_prior[j])
            across += kernel(z[i], z_prior[j])
    return within / (n * (n - 1)) - 2 * across / n**2


def test_mmd_equals_a_loop_over_all_pairs():
    rng = np.random.default_rng(0)
    z, z_prior = rng.normal(2, 3, (12, 3)), rng.normal(0, 5, (12, 3))
    fast = losses.maximum_mean_discrepancy(
        tf.constant(z, "float32"), tf.constant(z_prior, "float32")
    )
    assert float(fast) == pytest.approx(slow_mmd(z, z_prior), abs=1e-5)


def test_mmd_is_0_on_average_for_one_distribution_and_grows_with_a_shift():
    rng = np.random.default_rng(0)

    def measured(shift):
        samples = rng.normal(0, 5, (40, 2, 200, 2)).astype("float32")
        samples[:, 0] += shift
        pairs = [losses.maximum_mean_discrepancy(*map(tf.constant, pair)) for pair in samples]
        return np.mean(pairs), np.std(pairs) / np.sqrt(len(pairs))

    equal, error = measured(0)
    assert abs(equal) < 4 * error
    assert error < 1e-3
    assert 0.01 < measured(2)[0] < measured(5)[0] < measured(20)[0]


def test_categorical_kl_equals_its_formula_and_is_0_for_equal_distributions():
    p, q = np.array([[0.5, 0.5], [0.2, 0.8]]), np.array([[0.25, 0.75], [0.2, 0.8]])
    expected = (0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75)) / 2
    np.testing.assert_allclose(losses.categorical_kl(np.log(p), np.log(q) + 3.0), expected)
    assert losses.categorical_kl(np.log(p), np.log(p)) == 0
