//! Physical units as types. A non-finite or negative value cannot be constructed.
//!
//! Own newtypes rather than a unit library: `uom` cannot tell vehicles per hour from vehicles per second, nor per lane
//! from per link, and drops the unit when it serialises.

use serde::{Deserialize, Serialize};

/// Why a number is not a value of its unit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UnitError {
    /// The number is NaN or infinite.
    #[error("{unit} must be a finite number, not {value}")]
    NotFinite {
        /// Name of the unit.
        unit: &'static str,
        /// The offending number.
        value: f64,
    },
    /// The number is below zero.
    #[error("{unit} must not be negative, not {value}")]
    Negative {
        /// Name of the unit.
        unit: &'static str,
        /// The offending number.
        value: f64,
    },
    /// The number does not fit the integer the unit is kept in.
    #[error("{unit} is out of range: {value}")]
    OutOfRange {
        /// Name of the unit.
        unit: &'static str,
        /// The offending number.
        value: f64,
    },
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $unit:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// Zero of this unit.
            pub const ZERO: Self = Self(0.0);

            /// Checks and wraps a number.
            ///
            /// # Errors
            /// [`UnitError`] when the number is NaN, infinite or negative.
            pub fn new(value: f64) -> Result<Self, UnitError> {
                if !value.is_finite() {
                    return Err(UnitError::NotFinite { unit: $unit, value });
                }
                if value < 0.0 {
                    return Err(UnitError::Negative { unit: $unit, value });
                }
                Ok(Self(value))
            }

            /// The number, in the unit of the type.
            #[must_use]
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = UnitError;
            fn try_from(value: f64) -> Result<Self, UnitError> {
                Self::new(value)
            }
        }

        impl From<$name> for f64 {
            fn from(value: $name) -> f64 {
                value.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{} {}", self.0, $unit)
            }
        }
    };
}

quantity!(
    /// A length in metres.
    Metres,
    "m"
);
quantity!(
    /// A speed in metres per second.
    MetresPerSecond,
    "m/s"
);
quantity!(
    /// A change of speed in metres per second squared; also decelerations, as positive numbers.
    MetresPerSecondSquared,
    "m/s²"
);
quantity!(
    /// A flow in vehicles per hour (per lane where the field says so).
    VehPerHour,
    "veh/h"
);

/// A duration in integer deciseconds: sums are exact, hashes and ETags are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ds(pub u32);

impl Ds {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// Whole seconds as deciseconds.
    #[must_use]
    pub const fn from_s(seconds: u32) -> Self {
        Self(seconds * 10)
    }

    /// Rounds seconds to the nearest decisecond.
    ///
    /// # Errors
    /// [`UnitError`] when `seconds` is not finite, negative, or too long for 32 bits.
    pub fn from_seconds(seconds: f64) -> Result<Self, UnitError> {
        let unit = "seconds";
        if !seconds.is_finite() {
            return Err(UnitError::NotFinite { unit, value: seconds });
        }
        if seconds < 0.0 {
            return Err(UnitError::Negative { unit, value: seconds });
        }
        let ds = (seconds * 10.0).round();
        if ds > f64::from(u32::MAX) {
            return Err(UnitError::OutOfRange { unit, value: seconds });
        }
        Ok(Self(ds as u32))
    }

    /// The duration in seconds.
    #[must_use]
    pub fn seconds(self) -> f64 {
        f64::from(self.0) / 10.0
    }

    /// Difference that stops at zero.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl std::ops::Add for Ds {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl std::ops::AddAssign for Ds {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl std::ops::Sub for Ds {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl std::iter::Sum for Ds {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, |a, b| a + b)
    }
}

impl std::fmt::Display for Ds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{} s", self.0 / 10, self.0 % 10)
    }
}

/// An instant: deciseconds since 1970-01-01T00:00:00Z. The common time base of every offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimeDs(pub i64);

impl TimeDs {
    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn from_s(seconds: i64) -> Self {
        Self(seconds * 10)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 10.0
    }

    /// Signed deciseconds from `earlier` to `self`.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// Reads the time of a simulation: seconds, or `[days:]hours:minutes:seconds`, from 0 to 1e9 s, rounded to the nearest
    /// decisecond.
    #[must_use]
    pub fn parse_clock(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.trim().split(':').collect();
        let part = |t: &str| t.parse::<f64>().ok().filter(|v| v.is_finite() && *v >= 0.0);
        let s = match parts[..] {
            [s] => part(s)?,
            [h, m, s] => part(h)? * 3_600.0 + part(m)? * 60.0 + part(s)?,
            [d, h, m, s] => part(d)? * 86_400.0 + part(h)? * 3_600.0 + part(m)? * 60.0 + part(s)?,
            _ => return None,
        };
        (s <= 1e9).then(|| Self((s * 10.0).round() as i64))
    }

    /// The time of a simulation as `hours:minutes:seconds`, with tenths where there are some.
    #[must_use]
    pub fn clock(self) -> String {
        let (s, tenths) = (self.0.div_euclid(10), self.0.rem_euclid(10));
        let tenths = if tenths == 0 { String::new() } else { format!(".{tenths}") };
        format!("{:02}:{:02}:{:02}{tenths}", s / 3_600, s / 60 % 60, s % 60)
    }

    /// RFC 3339 text in UTC; instants outside jiff's range are shown as raw deciseconds.
    #[must_use]
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0.saturating_mul(100))
            .map_or_else(|_| format!("{}ds", self.0), |t| t.to_string())
    }

    /// Reads RFC 3339 text, rounding to the nearest decisecond.
    ///
    /// # Errors
    /// jiff's own message when the text is not a timestamp.
    pub fn parse_rfc3339(text: &str) -> Result<Self, jiff::Error> {
        let t: jiff::Timestamp = text.parse()?;
        Ok(Self((t.as_millisecond() + 50).div_euclid(100)))
    }
}

impl std::ops::Add<Ds> for TimeDs {
    type Output = Self;
    fn add(self, d: Ds) -> Self {
        Self(self.0 + i64::from(d.0))
    }
}

impl std::ops::Sub<Ds> for TimeDs {
    type Output = Self;
    fn sub(self, d: Ds) -> Self {
        Self(self.0 - i64::from(d.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_refuses_what_is_no_quantity() {
        assert!(matches!(Metres::new(f64::NAN), Err(UnitError::NotFinite { .. })));
        assert!(matches!(Metres::new(-0.1), Err(UnitError::Negative { .. })));
        assert!(serde_json::from_str::<Metres>("-1.0").is_err());
        assert_eq!(Metres::new(2.5).unwrap().get(), 2.5);
    }

    #[test]
    fn deciseconds_round_once() {
        assert_eq!(Ds::from_seconds(2.96).unwrap(), Ds(30));
        assert!(Ds::from_seconds(f64::INFINITY).is_err());
        assert!(Ds::from_seconds(1e12).is_err());
    }

    #[test]
    fn clocks_and_seconds_are_told_apart() {
        assert_eq!(TimeDs::parse_clock("25205.04"), Some(TimeDs(252_050)));
        assert_eq!(TimeDs::parse_clock(" 7:00:05 "), Some(TimeDs(252_050)));
        assert_eq!(TimeDs::parse_clock("1:0:0:0.5"), Some(TimeDs(864_005)));
        for bad in ["", "-1", "nan", "inf", "1e10", "7:00", "0:-1:0", "1:2:3:4:5", "triggered"] {
            assert_eq!(TimeDs::parse_clock(bad), None, "{bad}");
        }
        assert_eq!(TimeDs(252_050).clock(), "07:00:05");
        assert_eq!(TimeDs(864_005).clock(), "24:00:00.5");
        assert_eq!(TimeDs::parse_clock(&TimeDs(864_005).clock()), Some(TimeDs(864_005)));
    }

    #[test]
    fn instants_round_trip_through_text() {
        let t = TimeDs(17_958_000_005);
        assert_eq!(TimeDs::parse_rfc3339(&t.rfc3339()).unwrap(), t);
    }
}
