"""What all layers have in common that change features at random."""

from typing import Any

import keras


class RandomChange(keras.layers.Layer):  # type: ignore[misc]
    """Changes features x in training, as a subclass says in `change`, and else nothing. `dtype` is that of x."""

    def __init__(self, dtype: str = "float32") -> None:
        super().__init__(dtype=dtype)
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, x: Any, training: bool = False) -> Any:
        return self.change(x) if training else x

    def change(self, x: Any) -> Any:
        raise NotImplementedError

    def uniform(self, shape: tuple[Any, ...]) -> Any:
        """Numbers in [0, 1), float32."""
        return keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)

    def compute_output_shape(self, shape: Any) -> Any:
        return shape
