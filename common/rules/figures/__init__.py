"""What a store's time was worth: periods by its own calendar, and the figures of one."""

from common.rules.figures.counting import figures_of, together, why_lost
from common.rules.figures.periods import (
    PERIOD_DAYS_MAX,
    Choice,
    Period,
    PeriodIsWrong,
    chosen,
    period_of,
)
from common.rules.figures.values import (
    Asked,
    DayFigures,
    DeviceFigures,
    Figures,
    Given,
    KnownDevice,
    Leaked,
    LostFor,
    Money,
    OfferingFigures,
    PaidBack,
    Posted,
    Stretch,
)

__all__ = [
    "PERIOD_DAYS_MAX",
    "Asked",
    "Choice",
    "DayFigures",
    "DeviceFigures",
    "Figures",
    "Given",
    "KnownDevice",
    "Leaked",
    "LostFor",
    "Money",
    "OfferingFigures",
    "PaidBack",
    "Period",
    "PeriodIsWrong",
    "Posted",
    "Stretch",
    "chosen",
    "figures_of",
    "period_of",
    "together",
    "why_lost",
]
