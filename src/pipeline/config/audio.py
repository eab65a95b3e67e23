"""How a recording becomes features."""

from dataclasses import dataclass

from pipeline.config.checks import check, one_of

FEATURES = ("log_mel", "mfcc")


@dataclass
class AudioFeaturesConfig:
    """A recording becomes frames of `window_ms`, one every `hop_ms`. Each frame has the logarithm of its energy in
    `mels` bands that are equally wide on the mel scale (`features: log_mel`), or the first `coefficients` of the cosine
    transform of these (`mfcc`).

    With `level`, each recording is divided by its largest value first, so that its loudness does not count. Energies
    below `floor` count as `floor`: it is what silence has, and each sample is at most 1.
    """

    features: str = "log_mel"
    mels: int = 40
    coefficients: int = 13
    window_ms: float = 25.0
    hop_ms: float = 10.0
    level: bool = True
    floor: float = 1e-3

    def check(self) -> None:
        one_of("preprocessing.audio.features", self.features, FEATURES)
        for name in ("mels", "coefficients"):
            check(getattr(self, name) >= 1, f"preprocessing.audio.{name}", getattr(self, name), "1 or more")
        for name in ("window_ms", "hop_ms", "floor"):
            check(getattr(self, name) > 0, f"preprocessing.audio.{name}", getattr(self, name), "more than 0")
        good = self.coefficients <= self.mels or self.features != "mfcc"
        check(good, "preprocessing.audio.coefficients", self.coefficients, f"at most mels ({self.mels})")
