"""The minimum of a penalised mean log loss by Newton's method, one iteration at a time.

This is iteratively reweighted least squares (Hastie, Tibshirani, Friedman 2009, section 4.4.1); for more than two
classes it follows Boehning 1992. Shapes: N rows, D columns, K outputs (1 for two classes). In the coordinates theta
that `Newton` describes, there are R columns and C contrasts.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError

if TYPE_CHECKING:
    import tensorflow as tf

Array = NDArray[np.float64]

# Curvature counts as 0 below this share of the curvature where all classes are equally likely. Rows that a model
# answers rightly with a probability of 1 - 1e-13 add hardly more than that. Where there is a minimum, the weights stop
# growing before; and float64 can hardly tell a larger probability from certainty.
FLAT = 1e-13
# A combination of features counts as 0 below this share of the largest singular value: that is no more than the
# rounding of features in float32.
RANK = float(np.finfo(np.float32).eps)
SMALLEST_STEP = 2.0**-20


class Newton:
    """The loss of weights gamma (D, K) on rows z (N, D), and Newton's steps on it.

    The rows have targets y (N, K) and shares (N,), and the columns have ridge terms (D,). The whole loss is divided by
    the sum of the shares. TensorFlow does the algebra in float64.

    Newton's steps are taken in coordinates theta (R, C), with gamma = columns theta contrasts'. These coordinates leave
    out what changes no output: combinations of columns that are 0 in every row, and a shift of all classes alike.
    """

    def __init__(self, z_ND: Array, y_NK: Array, share_N: Array, ridge_D: Array) -> None:
        import tensorflow as tf

        # All rows together weigh 1, so that no tolerance depends on the unit of the rows' weights.
        ridge_D, share_N = ridge_D / share_N.sum(), share_N / share_N.sum()
        self._z, self._y = tf.constant(z_ND), tf.constant(y_NK)
        self._share, self._ridge = tf.constant(share_N)[:, tf.newaxis], tf.constant(ridge_D)[:, tf.newaxis]
        classes = y_NK.shape[1]
        self._contrasts = tf.constant(_contrasts(classes))
        self._columns = tf.constant(np.eye(len(ridge_D)) if ridge_D.any() else row_space(z_ND, share_N))
        self._moved = tf.matmul(self._z, self._columns)
        equal = tf.fill(y_NK.shape, tf.constant(1 / max(classes, 2), tf.float64))
        # At the start, where all classes are equally likely, the loss has curvature 1 in all directions once theta's
        # coordinates are scaled by this factor.
        self._root = tf.linalg.cholesky(self._hessian(equal))

    def step(self, gamma_DK: Array) -> tuple[Array, Array, float]:
        """Take one step, which is halved while it overshoots.

        Returns the weights after it (D, K), the whole step (D, K), and which part of the whole step was taken.

        Raises ConfigError where there is no minimum. That is where a plane separates the classes, except for rows on
        the plane itself (Albert and Anderson 1984): larger weights are always better there, and the curvature vanishes.
        """
        import tensorflow as tf

        gamma = tf.constant(gamma_DK)
        p_NK = self._probabilities(gamma)
        gradient = tf.matmul(self._columns, self._gradient(gamma, p_NK), transpose_a=True) @ self._contrasts
        half = tf.linalg.triangular_solve(self._root, self._hessian(p_NK))
        curvature = tf.linalg.triangular_solve(self._root, tf.transpose(half))
        try:
            factor = tf.linalg.cholesky(curvature)
            flat = bool(tf.reduce_min(tf.linalg.diag_part(factor)) ** 2 < FLAT)
        except tf.errors.InvalidArgumentError:  # not positive definite, so it is flatter than what rounding leaves
            flat = True
        if flat:
            cure = "Raise model.l2" if bool(tf.reduce_any(self._ridge > 0)) else "Set model.l2, say to 0.001"
            raise ConfigError(
                "trainer exact: a plane separates the classes, without error or but for rows on the plane itself, so "
                f"that larger weights are always better and there is no minimum that float64 can tell. {cure}."
            )
        right = tf.linalg.triangular_solve(self._root, tf.reshape(tf.transpose(gradient), [-1, 1]))
        solved = tf.linalg.triangular_solve(self._root, tf.linalg.cholesky_solve(factor, right), adjoint=True)
        theta_RC = tf.transpose(tf.reshape(solved, [self._contrasts.shape[1], -1]))
        step = self._columns @ theta_RC @ tf.transpose(self._contrasts)
        before, length = self.loss(gamma), 1.0
        while self.loss(gamma - length * step) > before and length > SMALLEST_STEP:
            length /= 2
        return np.asarray(gamma - length * step), np.asarray(step), length

    def loss(self, gamma_DK: "tf.Tensor | Array") -> float:
        """The penalised mean log loss of these weights."""
        import tensorflow as tf

        logits = tf.matmul(self._z, gamma_DK)
        if self._y.shape[1] == 1:
            losses = tf.nn.sigmoid_cross_entropy_with_logits(self._y, logits)
        else:
            losses = tf.nn.softmax_cross_entropy_with_logits(self._y, logits)[:, tf.newaxis]
        return float(tf.reduce_sum(losses * self._share) + tf.reduce_sum(self._ridge * gamma_DK**2))

    def gradient(self, gamma_DK: Array) -> Array:
        """The derivative of the loss by each weight (D, K)."""
        import tensorflow as tf

        gamma = tf.constant(gamma_DK)
        return np.asarray(self._gradient(gamma, self._probabilities(gamma)))

    def _probabilities(self, gamma: "tf.Tensor") -> "tf.Tensor":
        import tensorflow as tf

        logits = tf.matmul(self._z, gamma)
        return tf.sigmoid(logits) if self._y.shape[1] == 1 else tf.nn.softmax(logits)

    def _gradient(self, gamma: "tf.Tensor", p_NK: "tf.Tensor") -> "tf.Tensor":
        import tensorflow as tf

        return tf.matmul(self._z, (p_NK - self._y) * self._share, transpose_a=True) + 2 * self._ridge * gamma

    def _hessian(self, p_NK: "tf.Tensor") -> "tf.Tensor":
        """The second derivative (C R, C R) of the loss by theta, in blocks (R, R) for each pair of contrasts."""
        import tensorflow as tf

        contrasts, num_contrasts = self._contrasts, self._contrasts.shape[1]
        means_NC = p_NK @ contrasts
        ridge = tf.matmul(self._columns, 2 * self._ridge * self._columns, transpose_a=True)
        rows = []
        for a in range(num_contrasts):
            blocks = []
            for b in range(num_contrasts):
                both = tf.linalg.matvec(p_NK, contrasts[:, a] * contrasts[:, b])
                curvature_N = both - means_NC[:, a] * means_NC[:, b]
                weighted = self._moved * (curvature_N[:, tf.newaxis] * self._share)
                block = tf.matmul(self._moved, weighted, transpose_a=True)
                blocks.append(block + ridge if a == b else block)
            rows.append(tf.concat(blocks, axis=1))
        return tf.concat(rows, axis=0)


def _contrasts(classes: int) -> Array:
    """Orthonormal columns (K, K - 1), each of which sums to 0.

    They leave out a shift of all classes alike, which does not change the softmax. With one output there is nothing to
    leave out.
    """
    if classes == 1:
        return np.ones((1, 1))
    helmert = np.array([[*[1.0] * k, -float(k), *[0.0] * (classes - k - 1)] for k in range(1, classes)])
    contrasts: Array = (helmert / np.linalg.norm(helmert, axis=1, keepdims=True)).T
    return contrasts


def row_space(z_ND: Array, share_N: Array) -> Array:
    """Combinations of columns (D, R) that are not 0 in all rows, apart from rounding.

    Over the rows, all combinations are equally large, and each is at right angles to every other.
    """
    import tensorflow as tf

    _, triangle = tf.linalg.qr(tf.constant(z_ND * np.sqrt(share_N)[:, np.newaxis]))
    values, _, vectors = tf.linalg.svd(triangle)
    kept = np.asarray(values) > RANK * float(values[0])
    combinations: Array = np.asarray(vectors)[:, kept] / np.asarray(values)[kept]
    return combinations
