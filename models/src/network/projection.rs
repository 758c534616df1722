//! From the network's plane to longitude and latitude.

use serde::{Deserialize, Serialize};

use crate::network::Point;

/// Metres per degree of latitude on a sphere of the WGS 84 mean radius (6,371,008.8 m).
const METRES_PER_DEGREE: f64 = 111_195.08;

/// How planar coordinates map to the globe.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Projection {
    /// The file names no projection: metres are laid out around 0° N 0° E, true to scale but not to place.
    #[default]
    Unplaced,
    /// A PROJ definition; the plane is the projected plane shifted by an offset.
    Proj {
        /// PROJ text, e.g. `+proj=utm +zone=32 +ellps=WGS84 +datum=WGS84 +units=m +no_defs`.
        definition: String,
        /// What was added to the projected easting.
        offset_x_m: f64,
        /// What was added to the projected northing.
        offset_y_m: f64,
    },
}

/// Why a projection cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProjectionError {
    /// The PROJ text is not understood.
    #[error("projection '{definition}' is not understood: {reason}")]
    Definition {
        /// The offending text.
        definition: String,
        /// What the projection library said.
        reason: String,
    },
    /// A point cannot be projected.
    #[error("point ({x}, {y}) lies outside the projection: {reason}")]
    Point {
        /// Easting, metres.
        x: f64,
        /// Northing, metres.
        y: f64,
        /// What the projection library said.
        reason: String,
    },
}

impl Projection {
    /// Longitudes and latitudes in degrees of many points; the definition is parsed once.
    ///
    /// # Errors
    /// [`ProjectionError`] when the definition is not understood or a point lies outside it.
    pub fn lon_lat(&self, points: &[Point]) -> Result<Vec<(f64, f64)>, ProjectionError> {
        match self {
            Self::Unplaced => Ok(points.iter().map(|p| (p.x / METRES_PER_DEGREE, p.y / METRES_PER_DEGREE)).collect()),
            Self::Proj { definition, offset_x_m, offset_y_m } => {
                let bad = |e: proj4rs::errors::Error| ProjectionError::Definition {
                    definition: definition.clone(),
                    reason: e.to_string(),
                };
                let from = proj4rs::Proj::from_proj_string(definition).map_err(bad)?;
                let to =
                    proj4rs::Proj::from_proj_string("+proj=longlat +ellps=WGS84 +datum=WGS84 +no_defs").map_err(bad)?;
                points
                    .iter()
                    .map(|p| {
                        let mut at = (p.x - offset_x_m, p.y - offset_y_m, 0.0);
                        proj4rs::transform::transform(&from, &to, &mut at).map_err(|e| ProjectionError::Point {
                            x: p.x,
                            y: p.y,
                            reason: e.to_string(),
                        })?;
                        Ok((at.0.to_degrees(), at.1.to_degrees()))
                    })
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cologne cathedral is at 50.9413° N 6.9583° E; its UTM 32N coordinates are about 356,500 E 5,645,300 N.
    #[test]
    fn utm_lands_in_cologne() {
        let utm = Projection::Proj {
            definition: "+proj=utm +zone=32 +ellps=WGS84 +datum=WGS84 +units=m +no_defs".into(),
            offset_x_m: -300_000.0,
            offset_y_m: -5_600_000.0,
        };
        let at = utm.lon_lat(&[Point { x: 56_500.0, y: 45_300.0 }]).unwrap()[0];
        assert!((at.0 - 6.958).abs() < 0.01, "{at:?}");
        assert!((at.1 - 50.941).abs() < 0.01, "{at:?}");
    }

    #[test]
    fn an_unknown_projection_is_refused() {
        let bad = Projection::Proj { definition: "+proj=nonsense".into(), offset_x_m: 0.0, offset_y_m: 0.0 };
        assert!(matches!(bad.lon_lat(&[Point::default()]), Err(ProjectionError::Definition { .. })));
    }
}
