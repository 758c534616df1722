//! Why a scenario cannot be run.

/// Why a scenario cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MicroError {
    /// A vehicle's way does not exist.
    #[error("vehicle '{vehicle}': no way leads from link '{from}' to link '{to}'")]
    NoWay {
        /// The vehicle.
        vehicle: String,
        /// Where it is.
        from: String,
        /// Where it wants to go.
        to: String,
    },
    /// It was called off while it was made ready.
    #[error("called off")]
    Cancelled,
    /// A value the simulator cannot work with.
    #[error("{kind} '{name}': {reason}")]
    Unfit {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

impl MicroError {
    /// The vehicle, or flow of vehicles, that it is about.
    #[must_use]
    pub fn vehicle(&self) -> Option<&str> {
        match self {
            Self::NoWay { vehicle, .. } => Some(vehicle),
            Self::Unfit { kind: "vehicle", name, .. } => Some(name),
            Self::Unfit { .. } | Self::Cancelled => None,
        }
    }
}
