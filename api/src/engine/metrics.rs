//! Counters and gauges, in a recorder of this service's own: two services in one process do not mix their figures.

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::wire::v1::{Receipt, RefusalCode};

const META: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// Seconds: from a poll to a step that has gone wrong.
const SECONDS: [f64; 12] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Everything the service counts.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    /// Polls answered with a body.
    pub polls_fresh: Counter,
    /// Polls answered with 304.
    pub polls_unchanged: Counter,
    /// Batches turned away because too many were waiting.
    pub turned_away: Counter,
    /// Plans published.
    pub publications: Counter,
    /// Proposals that the validator refused.
    pub proposals_refused: Counter,
    /// Steps that did not keep the deadline, or answered without the better method because of it.
    pub deadlines_missed: Counter,
    /// Times the optimizer failed and was started anew.
    pub optimizer_failures: Counter,
    /// Times the store refused.
    pub store_failures: Counter,
    /// Time of a step of the optimizer.
    pub step_s: Histogram,
    /// Time of a transaction of the store.
    pub commit_s: Histogram,
    /// Acknowledgements taken.
    pub acks: Counter,
    /// Requests that panicked.
    pub panics: Counter,
    /// Connections being served.
    pub connections: Gauge,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    #[must_use]
    pub fn new() -> Self {
        let builder = PrometheusBuilder::new();
        // An empty list of bounds is the only thing that can be wrong with it.
        let recorder = match builder.set_buckets(&SECONDS) {
            Ok(builder) => builder.build_recorder(),
            Err(_) => PrometheusBuilder::new().build_recorder(),
        };
        let counter = |name: &'static str, help: &'static str| {
            recorder.describe_counter(name.into(), Some(Unit::Count), help.into());
            recorder.register_counter(&Key::from_static_name(name), &META)
        };
        let histogram = |name: &'static str, help: &'static str| {
            recorder.describe_histogram(name.into(), Some(Unit::Seconds), help.into());
            recorder.register_histogram(&Key::from_static_name(name), &META)
        };
        let polls = |answer: &'static str| {
            let key = Key::from_parts("greenkerb_polls_total", vec![Label::new("answer", answer)]);
            recorder.register_counter(&key, &META)
        };
        recorder.describe_counter("greenkerb_polls_total".into(), Some(Unit::Count), "Polls of timings.".into());
        recorder.describe_counter(
            "greenkerb_observations_total".into(),
            Some(Unit::Count),
            "Reports of detectors and pictures of junctions by what became of them.".into(),
        );
        for (name, help) in GAUGES {
            recorder.describe_gauge(name.into(), None, help.into());
        }
        let metrics = Self {
            handle: recorder.handle(),
            polls_fresh: polls("fresh"),
            polls_unchanged: polls("unchanged"),
            turned_away: counter("greenkerb_batches_turned_away_total", "Batches answered with 503."),
            publications: counter("greenkerb_publications_total", "Plans published."),
            proposals_refused: counter("greenkerb_proposals_refused_total", "Proposals that the validator refused."),
            deadlines_missed: counter("greenkerb_deadline_misses_total", "Steps of the optimizer that were late."),
            optimizer_failures: counter("greenkerb_optimizer_failures_total", "Times the optimizer failed."),
            store_failures: counter("greenkerb_store_failures_total", "Times the store refused."),
            step_s: histogram("greenkerb_solve_seconds", "Time of a step of the optimizer."),
            commit_s: histogram("greenkerb_store_commit_seconds", "Time of a transaction of the store."),
            acks: counter("greenkerb_acknowledgements_total", "Acknowledgements taken."),
            panics: counter("greenkerb_request_panics_total", "Requests that panicked."),
            connections: recorder.register_gauge(&Key::from_static_name("greenkerb_connections"), &META),
            recorder,
        };
        // Every outcome shows from the start, so that a rate can be taken of it.
        metrics.count_reports(&Receipt {
            accepted: 0,
            late: 0,
            out_of_order: 0,
            duplicate: 0,
            pictures: 0,
            refused_total: 0,
            refused: Vec::new(),
            clock: None,
        });
        for code in [
            RefusalCode::UnknownDetector,
            RefusalCode::ImpossibleValue,
            RefusalCode::ClockFarOff,
            RefusalCode::Malformed,
            RefusalCode::Contradiction,
            RefusalCode::UnknownController,
            RefusalCode::UnknownLane,
            RefusalCode::UnknownMovement,
        ] {
            metrics.count_refused(code, 0);
        }
        metrics
    }

    fn labelled(&self, name: &'static str, labels: Vec<Label>) -> Counter {
        self.recorder.register_counter(&Key::from_parts(name, labels), &META)
    }

    /// Counts what became of a batch, the refusals apart.
    pub fn count_reports(&self, receipt: &Receipt) {
        let outcomes = [
            ("accepted", receipt.accepted),
            ("late", receipt.late),
            ("out_of_order", receipt.out_of_order),
            ("duplicate", receipt.duplicate),
            ("picture", receipt.pictures),
        ];
        for (outcome, count) in outcomes {
            self.labelled("greenkerb_observations_total", vec![Label::new("outcome", outcome)]).increment(count as u64);
        }
    }

    /// Counts refused reports of one kind.
    pub fn count_refused(&self, code: RefusalCode, count: u64) {
        let name = match code {
            RefusalCode::UnknownDetector => "unknown_detector",
            RefusalCode::ImpossibleValue => "impossible_value",
            RefusalCode::ClockFarOff => "clock_far_off",
            RefusalCode::Malformed => "malformed",
            RefusalCode::Contradiction => "contradiction",
            RefusalCode::UnknownController => "unknown_controller",
            RefusalCode::UnknownLane => "unknown_lane",
            RefusalCode::UnknownMovement => "unknown_movement",
        };
        let labels = vec![Label::new("outcome", "refused"), Label::new("code", name)];
        self.labelled("greenkerb_observations_total", labels).increment(count);
    }

    /// Sets a gauge.
    pub fn gauge(&self, name: &'static str, value: f64) {
        self.recorder.register_gauge(&Key::from_static_name(name), &META).set(value);
    }

    /// Sets a gauge of one controller.
    pub fn controller_gauge(&self, name: &'static str, controller: &str, value: f64) {
        let key = Key::from_parts(name, vec![Label::new("controller", controller.to_owned())]);
        self.recorder.register_gauge(&key, &META).set(value);
    }

    /// Everything, in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.run_upkeep();
        self.handle.render()
    }
}

/// Gauges that are set when somebody looks.
const GAUGES: [(&str, &str); 9] = [
    ("greenkerb_plan_age_seconds", "Time since the newest plan of a controller was computed."),
    ("greenkerb_ack_mismatch", "1 for a controller that runs something else than it was told."),
    ("greenkerb_controller_stale", "1 for a controller that has missed three polls."),
    ("greenkerb_on_time_of_day_plan", "1 for a controller for which nothing published is in force."),
    ("greenkerb_feed_age_seconds", "Age of the newest observation."),
    ("greenkerb_clock_seconds", "The service's clock, seconds since the epoch."),
    ("greenkerb_network_file_changed", "1 while the network file is not the one that was loaded."),
    ("greenkerb_ready", "1 while /readyz says ready."),
    ("greenkerb_connections", "Connections being served."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_controllers_are_escaped_and_services_do_not_mix() {
        let (a, b) = (Metrics::new(), Metrics::new());
        a.publications.increment(3);
        a.controller_gauge("greenkerb_plan_age_seconds", "x\"} 1\n", 2.0);
        let text = a.render();
        assert!(text.contains("greenkerb_publications_total 3"), "{text}");
        assert!(text.contains(r#"greenkerb_plan_age_seconds{controller="x\"} 1\n"} 2"#), "{text}");
        assert!(b.render().contains("greenkerb_publications_total 0"));
        assert!(b.render().contains(r#"outcome="refused",code="malformed"} 0"#), "{}", b.render());
    }
}
