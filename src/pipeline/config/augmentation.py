"""The configuration of random changes of training rows."""

from dataclasses import dataclass, fields

from pipeline.config.checks import check, check_rate

HOW_MANY = "masks"  # it says how many masks there are, and asks for none by itself
RATES = (
    *("translate", "rotate", "zoom", "shift_time", "mask_time", "mask_bands"),
    *("substitute", "word_dropout", "feature_dropout"),
)


@dataclass
class AugmentationConfig:
    """Random changes of training rows, which are drawn anew for each (seed, epoch, step).

    Of images: shifts by up to `translate` of height and width, rotations by up to `rotate` of a turn, zoom by up to
    `zoom`, and mirror images with `flip`.

    Of recordings: shifts by up to `shift_time` of their length, and `masks` pieces of time and as many ranges of
    frequencies that are hidden, each of a random width of up to `mask_time` of the frames or `mask_bands` of the bands
    (SpecAugment, Park et al. 2019).

    Of sequences: with `reverse_complement`, each of DNA or RNA is the other strand half of the time; shifts by up to
    `shift_letters` places; and a share `substitute` of the letters that become another one (EvoAug, Lee et al. 2023).

    Of series: noise of `jitter` standard deviations, a factor of mean 1 and deviation `scaling` for each channel (Um et
    al. 2017), and pieces of time that are hidden as in recordings.

    Of texts that are taken as tokens: a share `word_dropout` of them that become unknown (Bowman et al. 2016).

    Of numbers in tables: noise of `jitter` standard deviations (Bishop 1995), and a share `feature_dropout` of them
    that is dropped (Srivastava et al. 2014).
    """

    translate: float = 0.0
    rotate: float = 0.0
    zoom: float = 0.0
    flip: bool = False
    shift_time: float = 0.0
    mask_time: float = 0.0
    mask_bands: float = 0.0
    masks: int = 2
    reverse_complement: bool = False
    shift_letters: int = 0
    substitute: float = 0.0
    jitter: float = 0.0
    scaling: float = 0.0
    word_dropout: float = 0.0
    feature_dropout: float = 0.0

    @property
    def asked(self) -> list[str]:
        """The changes that are asked for."""
        return [entry.name for entry in fields(self) if entry.name != HOW_MANY and getattr(self, entry.name)]

    @property
    def active(self) -> bool:
        return bool(self.asked)

    def check(self) -> None:
        for name in RATES:
            check_rate(f"trainer.augmentation.{name}", getattr(self, name))
        for name in ("jitter", "scaling"):
            value = getattr(self, name)
            check(0 <= value <= 1, f"trainer.augmentation.{name}", value, "a deviation from 0 to 1")
        check(self.shift_letters >= 0, "trainer.augmentation.shift_letters", self.shift_letters, "0 or more")
        check(self.masks >= 1, "trainer.augmentation.masks", self.masks, "1 or more")
