"""Least squares in closed form, always in float64 (near N = n the condition number passes 1e5). No torch.

One singular value decomposition of the feature matrix serves every target and every penalty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

RCOND = 1e-12
"""Singular values below this share of the largest one count as zero."""
PENALTIES = 10.0 ** np.arange(-10.0, 1.5, 0.5)
"""The ridge penalties that validation chooses from, as shares of the largest squared singular value."""


@dataclass(frozen=True)
class Decomposition:
    """A feature matrix [n, N] as u diag(s) vt, with the singular values that exceed RCOND."""

    u: Matrix
    s: Matrix
    vt: Matrix

    @classmethod
    def of(cls, features: Matrix) -> Decomposition:
        """Decompose a float64 matrix; raises numpy.linalg.LinAlgError where LAPACK does not converge."""
        from scipy.linalg import svd

        u, s, vt = svd(np.asarray(features, dtype=np.float64), full_matrices=False, check_finite=False)
        kept = int(np.count_nonzero(s > RCOND * s[0]))
        return cls(u[:, :kept], s[:kept], vt[:kept])

    def solve(self, targets: Matrix, penalty: float = 0.0) -> Matrix:
        """Return the coefficients [N, K] that minimise |features w - targets|^2 + penalty |w|^2.

        With penalty 0: the least-squares solution, of minimum norm where there are many.
        """
        shrunk = self._filter(penalty)[:, None] * (self.u.T @ targets)
        coefficients: Matrix = self.vt.T @ shrunk
        return coefficients

    def best_penalty(self, targets: Matrix, validation: Matrix, wanted: Matrix) -> float:
        """Return the penalty with the smallest squared error on validation features [m, N] and targets [m, K]."""
        projected, seen = self.u.T @ targets, validation @ self.vt.T
        penalties = PENALTIES * self.s[0] ** 2
        errors = [mse(seen @ (self._filter(p)[:, None] * projected), wanted) for p in penalties]
        return float(penalties[int(np.argmin(errors))])

    def _filter(self, penalty: float) -> Matrix:
        factors: Matrix = self.s / (self.s**2 + penalty)
        return factors


def mse(predicted: Matrix, wanted: Matrix) -> float:
    """Return the mean over samples of the squared error, summed over the outputs."""
    return float(np.mean(np.square(predicted - wanted).sum(axis=1)))
