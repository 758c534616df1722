//! Writing a network as GeoJSON (RFC 7946), for any map program: links, lanes, crossings, nodes and detectors.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::records::to_file;
use crate::detection::DetectorKind;
use crate::network::{Network, Point, ProjectionError, Turn};

/// Digits of a degree that are kept: about a centimetre.
const DIGITS: f64 = 1e7;

/// Why a network is not written as GeoJSON.
#[derive(Debug, thiserror::Error)]
pub enum GeojsonError {
    /// The sink says no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The network's projection cannot be used.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
}

/// Writes a network. Every feature has `kind` and `name` among its properties.
///
/// # Errors
/// [`GeojsonError`] when the sink or the projection says no.
pub fn write(network: &Network, mut sink: impl Write) -> Result<(), GeojsonError> {
    let map = Map { network };
    let name = serde_json::to_string(network.name()).map_err(io::Error::from)?;
    write!(sink, "{{\"type\":\"FeatureCollection\",\"name\":{name},\"features\":[")?;
    let mut first = true;
    for feature in map.features() {
        // One feature a line: such files are read with grep and diff as well.
        writeln!(sink, "{}", if std::mem::take(&mut first) { "" } else { "," })?;
        serde_json::to_writer(&mut sink, &feature?).map_err(io::Error::from)?;
    }
    writeln!(sink, "\n]}}")?;
    sink.flush()?;
    Ok(())
}

/// Writes a network to a file, compressed when its name ends in `.gz`.
///
/// # Errors
/// As [`write`].
pub fn write_file(network: &Network, path: &Path) -> Result<(), GeojsonError> {
    let mut failed = None;
    to_file(path, |sink| match write(network, sink) {
        Ok(()) => Ok(()),
        Err(GeojsonError::Io(e)) => Err(e),
        Err(e) => {
            failed = Some(e);
            Ok(())
        }
    })?;
    failed.map_or(Ok(()), Err)
}

struct Map<'n> {
    network: &'n Network,
}

impl Map<'_> {
    fn features(&self) -> impl Iterator<Item = Result<Value, ProjectionError>> + '_ {
        let net = self.network;
        let node = |id: crate::ids::NodeId| net.node(id).name.as_str();
        let links = net.links().iter().map(move |l| {
            let about = json!({"kind": "link", "name": l.name, "from": node(l.from), "to": node(l.to),
                "lanes": l.lanes.len(), "length_m": l.length.get(), "speed_mps": l.speed.get()});
            self.line(&l.shape.0, about)
        });
        let lanes = net.lanes().iter().map(move |l| {
            let about = json!({"kind": "lane", "name": l.name, "link": net.link(l.link).name, "index": l.index,
                "width_m": l.width.get(), "speed_mps": l.speed.get(), "cars": l.admits.cars, "buses": l.admits.buses,
                "bicycles": l.admits.bicycles, "pedestrians": l.admits.pedestrians});
            self.line(&l.shape.0, about)
        });
        let connections = net.connections().iter().map(move |c| {
            let turn = match net.movement(c.movement).turn {
                Turn::Right => "right",
                Turn::Straight => "straight",
                Turn::Left => "left",
                Turn::UTurn => "u_turn",
            };
            let (from, to) = (&net.lane(c.from_lane).name, &net.lane(c.to_lane).name);
            let signal = c.signal.map(|s| {
                let controller = net.controller(s.controller);
                json!({"controller": controller.name, "group": controller.group(s.group).name})
            });
            let about = json!({"kind": "connection", "name": format!("{from} > {to}"), "turn": turn,
                "speed_mps": c.speed.get(), "signal": signal});
            self.line(&c.shape.0, about)
        });
        let crossings = net.crossings().iter().map(move |c| {
            let signal = c.signal.map(|s| net.controller(s.controller).name.as_str());
            let about = json!({"kind": "crossing", "name": c.name, "node": node(c.node), "length_m": c.length.get(),
                "controller": signal});
            self.line(&c.shape.0, about)
        });
        let nodes = net.nodes().iter().map(move |n| {
            let controller = n.controller.map(|c| net.controller(c).name.as_str());
            self.point(n.position, json!({"kind": "node", "name": n.name, "controller": controller}))
        });
        let detectors = net.detectors().iter().map(move |d| {
            let lane = net.lane(d.lane);
            // Shapes and lengths of a map never agree to the centimetre.
            let share = 1.0 - d.to_lane_end.get() / lane.length.get();
            let at = lane.shape.point_at(share * lane.shape.length_m()).unwrap_or_default();
            let purpose = match d.kind {
                DetectorKind::StopBar => "stop_bar",
                DetectorKind::Advance => "advance",
                DetectorKind::Area => "area",
            };
            let about = json!({"kind": "detector", "name": d.name, "purpose": purpose, "lane": lane.name,
                "to_stop_line_m": d.to_stop_line.get(), "length_m": d.length.get()});
            self.point(at, about)
        });
        links.chain(lanes).chain(connections).chain(crossings).chain(nodes).chain(detectors)
    }

    fn place(&self, points: &[Point]) -> Result<Vec<[f64; 2]>, ProjectionError> {
        let round = |v: f64| (v * DIGITS).round() / DIGITS;
        Ok(self.network.projection().lon_lat(points)?.into_iter().map(|(x, y)| [round(x), round(y)]).collect())
    }

    fn line(&self, points: &[Point], about: Value) -> Result<Value, ProjectionError> {
        let geometry = json!({"type": "LineString", "coordinates": self.place(points)?});
        Ok(json!({"type": "Feature", "properties": about, "geometry": geometry}))
    }

    fn point(&self, point: Point, about: Value) -> Result<Value, ProjectionError> {
        let geometry = json!({"type": "Point", "coordinates": self.place(&[point])?.first()});
        Ok(json!({"type": "Feature", "properties": about, "geometry": geometry}))
    }
}
