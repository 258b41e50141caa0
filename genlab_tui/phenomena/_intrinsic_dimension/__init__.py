"""Parts of the intrinsic dimension: fields and arms, numbers, claims, figures."""
