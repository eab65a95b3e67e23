"""What a command gets: the resolved configuration of one experiment, of one dataset, or of a prediction."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from pipeline.config.audio import AudioFeaturesConfig
from pipeline.config.checks import check, check_name, check_output, one_of
from pipeline.config.data import DatasetConfig, SplitConfig
from pipeline.config.model import ModelConfig
from pipeline.config.text import TextConfig
from pipeline.config.trainer import CacheConfig, CheckpointConfig, TrainerConfig

LEARNED, HASHED = "learned", "hashed"
OUTPUTS = (".parquet", ".pq", ".csv")  # the endings of files with predictions
REFUSE, SKIP = ON_BAD_ROW = ("refuse", "skip")  # what is done with rows to predict that cannot be used

MOST_BUCKETS = 2**15


@dataclass
class TextFeaturesConfig:
    """How a text becomes features: from its words, which stand between blanks, from its characters, or from its bytes
    in UTF-8 (`unit`); with `lower`, A to Z are read as a to z. Of words, `punctuation: drop` leaves out the signs in
    them and between them. The `most` of them that occur in most training texts are known; as tokens, all 256 bytes are.

    Families that take a vector get the bag of them. With `ngrams`, sequences of up to so many are in the bag too. The
    value of a feature is 1 where a text has it (`weight: presence`), how often (`counts`), or that times the logarithm
    of how rare it is, all divided by the length of the vector (`tf_idf`).

    With `vocabulary: hashed`, nothing is learned: each word, character or byte (or sequence of them) counts in one of
    so many `buckets`, which a digest of it gives, and those that share a bucket add up. So a model also sees words that
    are rare or new, and what it takes is as wide as there are buckets, however many words there are.

    Families that take tokens get them one after another, `longest` at most; what comes later is cut off.
    """

    unit: str = "words"
    lower: bool = True
    punctuation: str = "drop"
    ngrams: int = 1
    weight: str = "presence"
    most: int = 2000
    vocabulary: str = LEARNED
    buckets: int = 4096
    longest: int = 256

    @property
    def drops_punctuation(self) -> bool:
        return self.unit == "words" and self.punctuation == "drop"

    def check(self) -> None:
        one_of("preprocessing.text.unit", self.unit, ("words", "characters", "bytes"))
        one_of("preprocessing.text.punctuation", self.punctuation, ("drop", "keep"))
        one_of("preprocessing.text.weight", self.weight, ("presence", "counts", "tf_idf"))
        one_of("preprocessing.text.vocabulary", self.vocabulary, (LEARNED, HASHED))
        check(1 <= self.ngrams <= 8, "preprocessing.text.ngrams", self.ngrams, "1 to 8")
        # All buckets of some thousand texts are in memory at once.
        in_range = 1 <= self.buckets <= MOST_BUCKETS
        check(in_range, "preprocessing.text.buckets", self.buckets, f"1 to {MOST_BUCKETS}")
        for name in ("most", "longest"):
            check(getattr(self, name) >= 1, f"preprocessing.text.{name}", getattr(self, name), "1 or more")


@dataclass
class SequenceFeaturesConfig:
    """How a sequence of letters becomes features. As many letters count as the longest training sequence has, and
    `longest` at most; what comes later is cut off.

    Families that take a vector get the letters by their positions where all training sequences have one length. Else
    they get how often each run of `kmers` letters occurs; 0 means as many as make 500 different runs at most.
    """

    kmers: int = 0
    longest: int = 1024

    def check(self) -> None:
        check(0 <= self.kmers <= 12, "preprocessing.sequence.kmers", self.kmers, "0 to 12")
        check(self.longest >= 1, "preprocessing.sequence.longest", self.longest, "1 or more")


@dataclass
class PreprocessingConfig:
    """`standardize` brings numeric features and a regression's target to mean 0 and deviation 1, as measured on the
    training rows; the `scale` of a column may ask for more. Of a column's categories, those with fewer than `rare`
    training rows share one feature, and so do all but the `most_categories` most frequent ones.
    """

    standardize: bool = True
    rare: int = 2
    most_categories: int = 100
    text: TextFeaturesConfig = field(default_factory=TextFeaturesConfig)
    audio: AudioFeaturesConfig = field(default_factory=AudioFeaturesConfig)
    sequence: SequenceFeaturesConfig = field(default_factory=SequenceFeaturesConfig)

    def check(self) -> None:
        check(self.rare >= 1, "preprocessing.rare", self.rare, "1 or more")
        check(self.most_categories >= 1, "preprocessing.most_categories", self.most_categories, "1 or more")


@dataclass
class EvaluationConfig:
    """The number of bootstrap resamples behind each interval, the intervals' coverage, and the resampling's seed."""

    resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0

    def check(self) -> None:
        check(self.resamples >= 100, "evaluation.resamples", self.resamples, "100 or more")
        check(0.5 < self.confidence < 1, "evaluation.confidence", self.confidence, "between 0.5 and 1")


@dataclass
class Config:
    """One resolved experiment. `objective` names the score of a sweep's job, which is taken of the epoch whose weights
    are kept. `output` is the folder that train writes; only DVC's stages set it."""

    name: str = MISSING
    seed: int = MISSING
    split: SplitConfig = field(default_factory=SplitConfig)
    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    preprocessing: PreprocessingConfig = field(default_factory=PreprocessingConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    cache: CacheConfig = field(default_factory=CacheConfig)
    objective: str = "val_loss"
    output: str | None = None

    def check(self) -> None:
        check_name("experiment", self.name)
        check(self.seed >= 0, "params.yaml: seed", self.seed, "0 or more")
        self.split.check_method(self.dataset.split)


@dataclass
class PrepareConfig:
    """One resolved dataset."""

    split: SplitConfig = field(default_factory=SplitConfig)
    dataset: DatasetConfig = field(default_factory=DatasetConfig)

    def check(self) -> None:
        self.split.check_method(self.dataset.split)


@dataclass
class PredictConfig(TextConfig):
    """Batch prediction: a trained experiment or a model file, the file with the rows, and the file for the
    predictions. `format` is a name in FORMATS, or `fasta`, and `auto` goes by the input's ending. `on_bad_row` says
    whether rows that cannot be used are refused, or left out and counted."""

    model: str = MISSING
    input: str = MISSING
    output: str = MISSING
    format: str = "auto"
    on_bad_row: str = REFUSE

    def check(self) -> None:
        self.check_text()
        one_of("on_bad_row", self.on_bad_row, ON_BAD_ROW)
        good = self.output.lower().endswith(OUTPUTS)
        check(good, "output", self.output, f"a name that ends with {', '.join(OUTPUTS[:-1])} or {OUTPUTS[-1]}")
        check_output(self.output, self.input)


@dataclass
class DriftConfig(TextConfig):
    """New rows beside the training rows of a prepared dataset. A difference is drift if its interval, which holds for
    all differences together with this confidence, lies beyond the threshold. `output` is a JSON file to write.
    `on_bad_row` is about rows that cannot be read; values that a type does not take are a difference."""

    dataset: str = MISSING
    input: str = MISSING
    output: str | None = None
    format: str = "auto"
    on_bad_row: str = REFUSE
    threshold: float = 0.1
    confidence: float = 0.95

    def check(self) -> None:
        self.check_text()
        one_of("on_bad_row", self.on_bad_row, ON_BAD_ROW)
        if self.output is not None:
            check_output(self.output, self.input)
        check(0 <= self.threshold < 1, "threshold", self.threshold, "0 or more, less than 1")
        check(0.5 <= self.confidence < 1, "confidence", self.confidence, "0.5 or more, less than 1")


@dataclass
class InspectConfig:
    """A table to look at: its files (as in a dataset's `path`) and the name of the target's column. `task` is what is
    asked of it, where it should not follow from the target; `write` is the name of the dataset to write."""

    path: str = MISSING
    target: str = MISSING
    task: str | None = None
    write: str | None = None

    def check(self) -> None:
        if self.write is not None:
            check_name("write", self.write)
            # Hydra does not let an experiment choose a dataset in a folder of its own.
            check("/" not in self.write, "write", self.write, "a name without a folder")
            check(not self.write.endswith("_schema"), "write", self.write, "a name that does not end with _schema")
