//! Level of service of signalised intersections (HCM 7th ed., exhibit 19-8).

use serde::{Deserialize, Serialize};

/// Highest control delay of levels A to E, in seconds per vehicle.
pub const LOS_UP_TO_S: [f64; 5] = [10.0, 20.0, 35.0, 55.0, 80.0];

/// Level of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Los {
    /// Up to 10 s of control delay.
    A,
    /// Up to 20 s.
    B,
    /// Up to 35 s.
    C,
    /// Up to 55 s.
    D,
    /// Up to 80 s.
    E,
    /// Above 80 s, or more demand than capacity.
    F,
}

impl Los {
    /// The level of a control delay; F whatever the delay when demand is above capacity.
    #[must_use]
    pub fn of(control_delay_s: f64, saturation: Option<f64>) -> Self {
        if saturation.is_some_and(|x| x > 1.0) {
            return Self::F;
        }
        match LOS_UP_TO_S.iter().position(|up_to| control_delay_s <= *up_to) {
            Some(0) => Self::A,
            Some(1) => Self::B,
            Some(2) => Self::C,
            Some(3) => Self::D,
            Some(4) => Self::E,
            _ => Self::F,
        }
    }
}

impl std::fmt::Display for Los {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_reaches_up_to_and_with_its_bound() {
        let levels: Vec<Los> = [0.0, 10.0, 10.1, 20.0, 35.0, 55.0, 80.0, 80.1].map(|d| Los::of(d, None)).into();
        assert_eq!(levels, [Los::A, Los::A, Los::B, Los::B, Los::C, Los::D, Los::E, Los::F]);
    }

    #[test]
    fn more_demand_than_capacity_is_f() {
        assert_eq!(Los::of(5.0, Some(1.01)), Los::F);
        assert_eq!(Los::of(5.0, Some(1.0)), Los::A);
        assert_eq!(Los::of(f64::NAN, None), Los::F, "unknown is not good");
    }
}
