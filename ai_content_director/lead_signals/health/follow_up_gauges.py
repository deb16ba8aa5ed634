"""What Prometheus is told about follow-ups: numbers of all tenants together, with labels of closed sets only."""

from prometheus_client.core import GaugeMetricFamily

from lead_signals.followups.endpoints.endpoint_health import EndpointHealth
from lead_signals.followups.oversight.follow_up_numbers import FollowUpNumbers, LastHour


def follow_up_gauges(seen: FollowUpNumbers, endpoints: EndpointHealth) -> list[GaugeMetricFamily]:
    """What is owed, and what came of the last hour. A share or a time of nothing is no sample, rather than a 0 that looks like an alarm."""
    owed = GaugeMetricFamily("lead_signals_follow_ups", "Follow-ups that are owed or dead, by state", labels=["state"])
    for state, count in seen.by_state.items():
        owed.add_metric([state], count)
    oldest = GaugeMetricFamily("lead_signals_follow_up_oldest_due_seconds", "Since when the oldest due follow-up waits")
    oldest.add_metric([], seen.oldest_due_seconds)
    undelivered = GaugeMetricFamily(
        "lead_signals_follow_up_oldest_owed_seconds", "Since when the oldest undelivered follow-up is promised, due or not"
    )
    undelivered.add_metric([], seen.oldest_owed_seconds)
    failing = GaugeMetricFamily("lead_signals_follow_ups_failing", "Follow-ups that are owed and failed at their last try")
    failing.add_metric([], seen.failing)
    silent = GaugeMetricFamily(
        "lead_signals_endpoints_failing", "Endpoints that have taken nothing for five minutes, of five tries or more"
    )
    silent.add_metric([], endpoints.failing)
    paused = GaugeMetricFamily(
        "lead_signals_endpoints_paused", "Endpoints that are paused, WEBHOOK_URL among them, by reason", labels=["reason"]
    )
    paused.add_metric(["gone"], seen.endpoints_gone)
    paused.add_metric(["by_operator"], seen.endpoints_paused)
    return [owed, oldest, undelivered, failing, silent, paused, *_last_hour(seen.last_hour)]


def _last_hour(hour: LastHour) -> list[GaugeMetricFamily]:
    what = GaugeMetricFamily(
        "lead_signals_follow_ups_last_hour",
        "Promised in the last hour, and of those delivered and failing; died in the last hour",
        labels=["what"],
    )
    for name, count in (("promised", hour.promised), ("delivered", hour.delivered), ("failing", hour.failing), ("died", hour.died)):
        what.add_metric([name], count)
    share = GaugeMetricFamily(
        "lead_signals_follow_up_delivered_share", "Delivered, of the follow-ups promised in the last hour that were tried: 0 to 1"
    )
    if hour.delivered_share is not None:
        share.add_metric([], hour.delivered_share)
    seconds = GaugeMetricFamily(
        "lead_signals_follow_up_delivery_seconds",
        "From promise to delivery, of the follow-ups promised in the last hour and delivered",
        labels=["quantile"],
    )
    if hour.delivered_p95_seconds is not None:
        seconds.add_metric(["0.95"], hour.delivered_p95_seconds)
    receipts = GaugeMetricFamily("lead_signals_follow_up_receipts_last_hour", "Receipts of the last hour, by status", labels=["status"])
    for status, count in (("accepted", hour.receipts_accepted), ("done", hour.receipts_done), ("failed", hour.receipts_failed)):
        receipts.add_metric([status], count)
    return [what, share, seconds, receipts]
