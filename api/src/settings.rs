//! Settings of the service: what the file says ([`RawSettings`]) and what the program uses ([`ServiceSettings`]).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use greenkerb_models::units::Ds;
use greenkerb_optimizer::signals::{Mode, Settings as OptimizerSettings};
use serde::{Deserialize, Serialize};

/// What the settings file says; everything has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawSettings {
    /// Longest time one step of the optimizer may take; 0 leaves no time at all, and every decision is made by what
    /// needs no search.
    pub solve_deadline_ms: u64,
    /// How often a controller is asked to poll.
    pub poll_after_s: f64,
    /// Reports that end more than this before the service's clock are refused.
    pub observation_age_max_s: f64,
    /// With an external clock: reports that end more than this after it are refused.
    pub observation_ahead_max_s: f64,
    /// With a wall clock: reports that end more than this after it are refused. A detector whose own clock is that far
    /// off would make all others look silent.
    pub observation_skew_max_s: f64,
    /// How often the network file is looked at for changes.
    pub network_check_s: f64,
    /// Largest request body.
    pub body_bytes_max: usize,
    /// Memory for the bodies of all requests together; what finds none is answered with 503.
    pub bodies_bytes_max: usize,
    /// Connections served at a time; more wait to be taken.
    pub connections_max: usize,
    /// How long a client may take nothing of what is sent to it.
    pub write_timeout_s: f64,
    /// How long a client may take over the head of a request, idle time between two requests included.
    pub header_timeout_s: f64,
    /// How long a client may take over a body.
    pub body_timeout_s: f64,
    /// Batches of reports that may wait for the optimizer; more are answered with 503.
    pub waiting_batches_max: usize,
    /// How controllers are timed that `controllers` does not name: `fixed`, `cycle` or `schedule`.
    pub mode: Mode,
    /// What holds for single controllers, by their names.
    pub controllers: BTreeMap<String, RawController>,
    /// Settings of the optimizer; its times are in deciseconds.
    pub optimizer: OptimizerSettings,
}

/// What the settings file says of one controller.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawController {
    /// How it is timed; none: like the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
}

impl Default for RawSettings {
    fn default() -> Self {
        Self {
            solve_deadline_ms: 500,
            poll_after_s: 1.0,
            observation_age_max_s: 600.0,
            observation_ahead_max_s: 600.0,
            observation_skew_max_s: 5.0,
            network_check_s: 5.0,
            body_bytes_max: 8 << 20,
            bodies_bytes_max: 256 << 20,
            connections_max: 10_000,
            write_timeout_s: 30.0,
            header_timeout_s: 30.0,
            body_timeout_s: 30.0,
            waiting_batches_max: 64,
            mode: Mode::default(),
            controllers: BTreeMap::new(),
            optimizer: OptimizerSettings::default(),
        }
    }
}

/// Settings as the program uses them.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceSettings {
    /// Longest time one step of the optimizer may take.
    pub solve_deadline: Duration,
    /// How often a controller is asked to poll.
    pub poll_after: Ds,
    /// Oldest report that is taken.
    pub observation_age_max: Ds,
    /// Furthest report from the future that is taken, with an external clock.
    pub observation_ahead_max: Ds,
    /// Furthest report from the future that is taken, with a wall clock.
    pub observation_skew_max: Ds,
    /// How often the network file is looked at.
    pub network_check: Duration,
    /// Largest request body.
    pub body_bytes_max: usize,
    /// Memory for the bodies of all requests together.
    pub bodies_bytes_max: usize,
    /// Connections served at a time.
    pub connections_max: usize,
    /// How long a client may take nothing of what is sent to it.
    pub write_timeout: Duration,
    /// How long a client may take over the head of a request.
    pub header_timeout: Duration,
    /// How long a client may take over a body.
    pub body_timeout: Duration,
    /// Batches that may wait for the optimizer.
    pub waiting_batches_max: usize,
    /// Settings of the optimizer.
    pub optimizer: OptimizerSettings,
    /// The same as TOML, for the store.
    pub text: String,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("{}: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is no TOML, or names a setting that does not exist.
    #[error("{}: {source}", file.display())]
    Parse {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: Box<toml::de::Error>,
    },
    /// A value cannot be meant.
    #[error("setting {name} must be {wanted}, not {value}")]
    Value {
        /// The setting.
        name: &'static str,
        /// What it must be.
        wanted: &'static str,
        /// What it is.
        value: String,
    },
}

fn seconds(name: &'static str, value: f64, from: f64, to: f64, wanted: &'static str) -> Result<f64, SettingsError> {
    if (from..=to).contains(&value) {
        Ok(value)
    } else {
        Err(SettingsError::Value { name, wanted, value: value.to_string() })
    }
}

fn at_least_one(name: &'static str, value: usize) -> Result<usize, SettingsError> {
    if value > 0 { Ok(value) } else { Err(SettingsError::Value { name, wanted: "at least 1", value: "0".to_owned() }) }
}

impl RawSettings {
    /// Reads a settings file.
    ///
    /// # Errors
    /// [`SettingsError`] naming file, line and setting.
    pub fn read(file: &Path) -> Result<Self, SettingsError> {
        let text =
            std::fs::read_to_string(file).map_err(|source| SettingsError::Read { file: file.to_owned(), source })?;
        toml::from_str(&text).map_err(|source| SettingsError::Parse { file: file.to_owned(), source: Box::new(source) })
    }

    /// Checks every value, once.
    ///
    /// # Errors
    /// [`SettingsError::Value`] naming the setting.
    pub fn resolve(self) -> Result<ServiceSettings, SettingsError> {
        let ds = |s: f64| Ds((s * 10.0).round() as u32);
        let (hour, day) = ("between 1 and 3600", "between 0.1 and 86400");
        let poll_after_s = seconds("poll_after_s", self.poll_after_s, 0.1, 3600.0, "between 0.1 and 3600")?;
        let age_s = seconds("observation_age_max_s", self.observation_age_max_s, 1.0, 3600.0, hour)?;
        let ahead_s = seconds("observation_ahead_max_s", self.observation_ahead_max_s, 1.0, 3600.0, hour)?;
        let skew_s =
            seconds("observation_skew_max_s", self.observation_skew_max_s, 0.1, 3600.0, "between 0.1 and 3600")?;
        let check_s = seconds("network_check_s", self.network_check_s, 0.1, 86_400.0, day)?;
        let header_s = seconds("header_timeout_s", self.header_timeout_s, 0.1, 86_400.0, day)?;
        let body_s = seconds("body_timeout_s", self.body_timeout_s, 0.1, 86_400.0, day)?;
        let write_s = seconds("write_timeout_s", self.write_timeout_s, 0.1, 86_400.0, day)?;
        if self.bodies_bytes_max < self.body_bytes_max {
            return Err(SettingsError::Value {
                name: "bodies_bytes_max",
                wanted: "at least body_bytes_max",
                value: self.bodies_bytes_max.to_string(),
            });
        }
        let o = &self.optimizer;
        if o.lead < Ds::from_s(2) || o.validity <= o.renew_before || o.renew_before == Ds::ZERO {
            return Err(SettingsError::Value {
                name: "optimizer",
                wanted: "lead of at least 20 ds and validity above renew_before above 0",
                value: format!(
                    "lead {} ds, validity {} ds, renew_before {} ds",
                    o.lead.0, o.validity.0, o.renew_before.0
                ),
            });
        }
        let modes: BTreeMap<String, Mode> =
            self.controllers.iter().filter_map(|(name, c)| Some((name.clone(), c.mode?))).collect();
        let any_schedule = self.mode == Mode::Schedule || modes.values().any(|m| *m == Mode::Schedule);
        // A schedule that is changed before a controller has polled it does not fit what that controller shows.
        if any_schedule && o.policy.frozen != Ds::ZERO && o.policy.frozen < ds(poll_after_s) + Ds(5) {
            return Err(SettingsError::Value {
                name: "optimizer.policy.frozen",
                wanted: "at least half a second more than poll_after_s, or 0 where the data set the clock",
                value: format!("{} ds", o.policy.frozen.0),
            });
        }
        Ok(ServiceSettings {
            solve_deadline: Duration::from_millis(self.solve_deadline_ms),
            poll_after: ds(poll_after_s),
            observation_age_max: ds(age_s),
            observation_ahead_max: ds(ahead_s),
            observation_skew_max: ds(skew_s),
            network_check: Duration::from_secs_f64(check_s),
            body_bytes_max: at_least_one("body_bytes_max", self.body_bytes_max)?,
            bodies_bytes_max: self.bodies_bytes_max,
            write_timeout: Duration::from_secs_f64(write_s),
            connections_max: at_least_one("connections_max", self.connections_max)?,
            header_timeout: Duration::from_secs_f64(header_s),
            body_timeout: Duration::from_secs_f64(body_s),
            waiting_batches_max: at_least_one("waiting_batches_max", self.waiting_batches_max)?,
            text: toml::to_string(&self).unwrap_or_default(),
            optimizer: OptimizerSettings { mode: self.mode, modes, ..self.optimizer },
        })
    }
}

impl ServiceSettings {
    /// True when any controller is timed by schedules.
    #[must_use]
    pub fn schedules(&self) -> bool {
        let OptimizerSettings { mode, modes, .. } = &self.optimizer;
        *mode == Mode::Schedule || modes.values().any(|m| *m == Mode::Schedule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_resolve() {
        let settings = RawSettings::default().resolve().unwrap();
        assert_eq!(settings.poll_after, Ds(10));
        assert_eq!(toml::from_str::<RawSettings>(&settings.text).unwrap(), RawSettings::default());
        assert_eq!(toml::from_str::<RawSettings>("").unwrap(), RawSettings::default());
    }

    #[test]
    fn controllers_are_timed_as_the_file_says() {
        let text = "mode = \"schedule\"\n[controllers.\"a b\"]\nmode = \"fixed\"\n";
        let settings = toml::from_str::<RawSettings>(text).unwrap().resolve().unwrap();
        assert_eq!(settings.optimizer.mode_of("a b"), Mode::Fixed);
        assert_eq!(settings.optimizer.mode_of("c"), Mode::Schedule);
        let kept = toml::from_str::<RawSettings>(&settings.text).unwrap().resolve().unwrap();
        assert_eq!(kept, settings);
        assert!(toml::from_str::<RawSettings>("mode = \"loose\"").is_err());
        assert!(toml::from_str::<RawSettings>("optimizer = { mode = \"fixed\" }").is_err(), "it stands in one place");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        let refused = |text: &str| {
            let e = toml::from_str::<RawSettings>(text).unwrap().resolve().unwrap_err();
            e.to_string()
        };
        assert!(refused("poll_after_s = nan").contains("poll_after_s"));
        assert!(refused("connections_max = 0").contains("connections_max"));
        assert!(refused("bodies_bytes_max = 1000").contains("bodies_bytes_max"));
        assert!(refused("[optimizer]\nlead = 0").contains("lead"));
        assert!(refused("mode = \"schedule\"\npoll_after_s = 2").contains("frozen"));
        assert!(toml::from_str::<RawSettings>("solve_dedline_ms = 3").is_err());
    }
}
