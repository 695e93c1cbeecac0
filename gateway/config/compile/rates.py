"""`limits.requests` as the plan has it."""

from gateway.config.exchange_limits import Rate, RequestRates
from gateway.config.schema.rates import RateSection, RequestRatesSection


def rates_of(section: RequestRatesSection) -> RequestRates:
    said = {name: getattr(section, name) for name in type(section).model_fields}
    return RequestRates(**{name: _rate(one) for name, one in said.items() if one is not None})


def _rate(section: RateSection) -> Rate:
    number, seconds = section.rate
    return Rate(seconds / number, section.burst or number)
