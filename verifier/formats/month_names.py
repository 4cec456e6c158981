"""The names of months and days as programs print them: English, and what glibc's larger locales have instead."""

from __future__ import annotations

from typing import Final

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_LOCALES: Final = (
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sep oct nov dec",
    # German, Austrian
    "januar februar märz april mai juni juli august september oktober november dezember",
    "jan feb mär apr mai jun jul aug sep okt nov dez",
    "jänner feber märz april mai juni juli august september oktober november dezember",
    # French
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "janv févr mars avril mai juin juil août sept oct nov déc",
    # Spanish, Italian, Portuguese
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "ene feb mar abr may jun jul ago sep oct nov dic",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "gen feb mar apr mag giu lug ago set ott nov dic",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "jan fev mar abr mai jun jul ago set out nov dez",
    # Dutch, Swedish, Danish, Norwegian
    "januari februari maart april mei juni juli augustus september oktober november december",
    "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "januari februari mars april maj juni juli augusti september oktober november december",
    "jan feb mar apr maj jun jul aug sep okt nov dec",
    "januar februar mars april mai juni juli august september oktober november desember",
    "jan feb mar apr mai jun jul aug sep okt nov des",
    # Polish, Czech
    "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "sty lut mar kwi maj cze lip sie wrz paź lis gru",
    "ledna února března dubna května června července srpna září října listopadu prosince",
    "led úno bře dub kvě čen čec srp zář říj lis pro",
    # Russian
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "янв фев мар апр мая июн июл авг сен окт ноя дек",
)


def _months() -> dict[str, int]:
    found: dict[str, int] = {}
    for names in _LOCALES:
        for number, name in enumerate(names.split(), 1):
            found.setdefault(name, number)
    return found


MONTHS: Final = _months()
"""Months from 1 by their names in small letters."""


LETTER: Final = rb"[A-Za-z\x80-\xff]"
"""A byte of a word of any language in UTF-8."""

WORD: Final = LETTER + rb"{3,20}"
"""What may be a month's name; to look it up is cheaper than to look for two hundred names."""


def month_of(word: bytes) -> int | None:
    """Give a month's number from 1; None for a word that names none."""
    return MONTHS.get(word.decode("utf-8", "replace").lower())


def is_weekday(word: bytes, number: int) -> bool:
    """Tell whether a word may name the weekday `number` (0 is Monday); what is no English name may be any."""
    text = word.decode("utf-8", "replace").lower().rstrip(".")
    named = [position for position, name in enumerate(WEEKDAYS) if text in (name, name[:3])]
    return not named or named == [number]
