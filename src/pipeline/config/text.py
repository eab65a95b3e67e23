"""How files of text are written: those of a dataset, and those with rows to predict."""

from dataclasses import dataclass

from pipeline.config.checks import check
from pipeline.errors import ConfigError


@dataclass
class TextConfig:
    """`separator` stands between the cells (null: a comma, and a tab for tsv). Without a `header`, columns are named
    column_1, column_2 and so on. An empty `quote` says that quotes are part of the text, and `newlines` whether a
    quoted cell may hold line breaks."""

    separator: str | None = None
    header: bool = True
    encoding: str = "utf-8"
    quote: str = '"'
    newlines: bool = False

    def check_text(self, where: str = "") -> None:
        """Raise ConfigError, which begins with `where`, for settings that no file of text can have."""
        one = "one character that is not a line break"
        for name, sign in (("separator", self.separator), ("quote", self.quote or None)):
            good = sign is None or (len(sign) == 1 and sign.isascii() and sign not in "\r\n")
            check(good, f"{where}{name}", sign, one if name == "separator" else f"{one}, or nothing")
        check(self.quote != self.separator, f"{where}quote", self.quote, "another character than separator")
        try:
            "".encode(self.encoding)  # base64 and others that Python knows are codecs, but none of texts
        except LookupError as error:
            expected = "an encoding such as utf-8, latin-1, cp1252 or utf-16"
            raise ConfigError(f"{where}encoding: found {self.encoding!r}, expected {expected}.") from error
