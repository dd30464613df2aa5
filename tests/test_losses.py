"""Losses against closed forms."""

import numpy as np
import pytest

from adversarial_autoencoder import losses


def logit(p):
    return np.log(p / (1 - p)).astype("float32")


def test_mean_squared_error_is_taken_on_the_sigmoid_of_the_logits():
    x = np.array([[0.0, 1.0]], "float32")
    loss = losses.mean_squared_error(x, logit(np.array([[0.25, 0.5]])))
    assert float(loss) == pytest.approx((0.25**2 + 0.5**2) / 2, rel=1e-5)


def test_binary_cross_entropy_is_taken_on_logits_and_stays_finite_at_the_ends():
    x = np.array([[0.0, 1.0]], "float32")
    loss = losses.binary_cross_entropy(x, logit(np.array([[0.25, 0.5]])))
    assert float(loss) == pytest.approx(-(np.log(0.75) + np.log(0.5)) / 2, rel=1e-5)
    assert losses.binary_cross_entropy(x, np.array([[500.0, -500.0]], "float32")) == 500.0


def test_discriminator_loss_is_2_log_2_when_it_cannot_tell_them_apart():
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
def test_each_game_rewards_the_right_answers(name):
    game, high, low = losses.ADVERSARIAL[name], np.full((4, 1), 0.8), np.full((4, 1), -0.8)
    assert float(game.discriminator(high, low)) < float(game.discriminator(low, high))
    assert float(game.generator(high)) < float(game.generator(low))


def test_gradient_penalty_is_0_for_gradients_of_length_1():
    assert float(losses.gradient_penalty(np.array([[0.6, 0.8], [1.0, 0.0]]))) < 1e-10
    assert float(losses.gradient_penalty(np.array([[3.0, 4.0]]))) == pytest.approx(16.0)
