//! Vehicle types: `vType`, with the defaults SUMO 1.28 has for each vehicle class, and `vTypeDistribution`.

use crate::demand::{Following, SpeedFactor, VehicleClass, VehicleKind};
use crate::formats::Notes;
use crate::formats::sumo::xml::{Attributes, value};
use crate::formats::sumo::{Fault, Flaw, Place};
use crate::units::{Metres, MetresPerSecond, MetresPerSecondSquared};

/// What a vehicle class means where a type does not say otherwise.
struct Class {
    name: &'static str,
    class: VehicleClass,
    length_m: f64,
    min_gap_m: f64,
    accel_mpss: f64,
    decel_mpss: f64,
    emergency_mpss: f64,
    speed_max_kmh: f64,
    speed_dev: f64,
    people: f64,
}

const fn class(
    name: &'static str,
    class: VehicleClass,
    [length_m, min_gap_m]: [f64; 2],
    [accel_mpss, decel_mpss, emergency_mpss]: [f64; 3],
    speed_max_kmh: f64,
    speed_dev: f64,
    people: f64,
) -> Class {
    Class { name, class, length_m, min_gap_m, accel_mpss, decel_mpss, emergency_mpss, speed_max_kmh, speed_dev, people }
}

/// Road vehicles, as SUMO 1.28 itself reports their defaults. It knows nothing of how many people are on board; those
/// figures are ours.
const CLASSES: [Class; 20] = {
    use VehicleClass::{Bicycle, Bus, Car, Emergency, Lorry};
    const CAR: [f64; 3] = [2.6, 4.5, 9.0];
    [
        class("passenger", Car, [5.0, 2.5], CAR, 200.0, 0.1, 1.3),
        class("private", Car, [5.0, 2.5], CAR, 200.0, 0.1, 1.3),
        class("vip", Car, [5.0, 2.5], CAR, 200.0, 0.1, 1.3),
        class("hov", Car, [5.0, 2.5], CAR, 200.0, 0.1, 2.2),
        class("taxi", Car, [5.0, 2.5], CAR, 200.0, 0.05, 1.8),
        class("evehicle", Car, [5.0, 2.5], CAR, 200.0, 0.1, 1.3),
        class("custom1", Car, [5.0, 2.5], CAR, 200.0, 0.1, 1.3),
        class("custom2", Car, [5.0, 2.5], CAR, 200.0, 0.1, 1.3),
        class("authority", Car, [5.0, 2.5], CAR, 200.0, 0.0, 1.3),
        class("army", Car, [5.0, 2.5], CAR, 200.0, 0.0, 1.3),
        class("motorcycle", Car, [2.2, 2.5], [6.0, 10.0, 10.0], 200.0, 0.1, 1.1),
        class("moped", Car, [2.1, 2.5], [1.1, 7.0, 10.0], 60.0, 0.1, 1.0),
        class("emergency", Emergency, [6.5, 2.5], CAR, 200.0, 0.0, 2.0),
        class("delivery", Lorry, [6.5, 2.5], CAR, 200.0, 0.05, 1.0),
        class("truck", Lorry, [7.1, 2.5], [1.3, 4.0, 7.0], 130.0, 0.05, 1.0),
        class("trailer", Lorry, [16.5, 2.5], [1.1, 4.0, 7.0], 130.0, 0.05, 1.0),
        class("bus", Bus, [12.0, 2.5], [1.2, 4.0, 7.0], 100.0, 0.0, 20.0),
        class("coach", Bus, [14.0, 2.5], [2.0, 4.0, 7.0], 100.0, 0.05, 20.0),
        class("bicycle", Bicycle, [1.6, 0.5], [1.2, 3.0, 7.0], 50.0, 0.1, 1.0),
        class("scooter", Bicycle, [1.2, 0.5], [1.2, 3.0, 7.0], 25.0, 0.1, 1.0),
    ]
};

/// Classes SUMO knows that are no road vehicles.
const OFF_ROAD: [&str; 14] = [
    "ignoring",
    "pedestrian",
    "tram",
    "rail_urban",
    "rail",
    "rail_electric",
    "rail_fast",
    "subway",
    "cable_car",
    "ship",
    "container",
    "aircraft",
    "drone",
    "wheelchair",
];

/// Attributes that say nothing about how a vehicle of a type moves, or say what is our default anyway.
const SILENT: [&str; 13] = [
    "id",
    "vClass",
    "color",
    "guiShape",
    "imgFile",
    "osgFile",
    "width",
    "height",
    "emissionClass",
    "personCapacity",
    "containerCapacity",
    "probability",
    "boardingDuration",
];
const USED: [&str; 11] = [
    "length",
    "minGap",
    "accel",
    "decel",
    "emergencyDecel",
    "maxSpeed",
    "speedFactor",
    "speedDev",
    "tau",
    "sigma",
    "carFollowModel",
];

/// A type of vehicle, or why nobody can drive one here.
#[derive(Debug)]
pub(super) struct Type {
    /// Where it is defined.
    pub(super) at: Place,
    /// The kind, unless its class is no road vehicle.
    pub(super) kind: Result<VehicleKind, String>,
    /// Its weight where a distribution names it.
    pub(super) probability: f64,
}

/// SUMO's default type of this name, which nobody needs to define.
pub(super) fn default_type(name: &str) -> Option<VehicleKind> {
    let class = match name {
        "DEFAULT_VEHTYPE" => "passenger",
        "DEFAULT_BIKETYPE" => "bicycle",
        "DEFAULT_TAXITYPE" => "taxi",
        _ => return None,
    };
    CLASSES.iter().find(|c| c.name == class).map(|c| kind_of(name, c))
}

fn kind_of(name: &str, c: &Class) -> VehicleKind {
    let a = |v| MetresPerSecondSquared::new(v).unwrap_or_default();
    VehicleKind {
        class: c.class,
        length: Metres::new(c.length_m).unwrap_or_default(),
        min_gap: Metres::new(c.min_gap_m).unwrap_or_default(),
        accel: a(c.accel_mpss),
        usual_accel: a(c.accel_mpss),
        decel: a(c.decel_mpss),
        emergency_decel: a(c.emergency_mpss),
        speed_max: MetresPerSecond::new(c.speed_max_kmh / 3.6).unwrap_or_default(),
        speed_factor: SpeedFactor { deviation: c.speed_dev, ..VehicleKind::car(name).speed_factor },
        people: c.people,
        ..VehicleKind::car(name)
    }
}

/// Reads a `vType`.
pub(super) fn read(a: &Attributes, notes: &mut Notes) -> Result<Type, Fault> {
    let at = a.place("vType")?;
    let probability = a.number_if(&at, "probability")?.unwrap_or(1.0);
    if probability < 0.0 {
        return Err(at.fault(value("probability", a.get("probability").unwrap_or(""), "from 0")));
    }
    let class = a.get("vClass").unwrap_or("passenger");
    let Some(defaults) = CLASSES.iter().find(|c| c.name == class) else {
        if !OFF_ROAD.contains(&class) {
            return Err(at.fault(value("vClass", class, "a vehicle class of SUMO")));
        }
        return Ok(Type { at, kind: Err(class.to_owned()), probability });
    };
    let mut k = kind_of(&at.id, defaults);
    let above_zero = |name| Ok(if a.get(name).is_some() { Some(a.positive(&at, name)?) } else { None });
    let from_zero = |name| match a.number_if(&at, name)? {
        Some(v) if v < 0.0 => Err(at.fault(value(name, a.get(name).unwrap_or(""), "from 0"))),
        other => Ok(other),
    };
    let set = |slot: &mut MetresPerSecondSquared, v: Option<f64>| {
        if let Some(v) = v.and_then(|v| MetresPerSecondSquared::new(v).ok()) {
            *slot = v;
        }
    };
    let set_m = |slot: &mut Metres, v: Option<f64>| {
        if let Some(v) = v.and_then(|v| Metres::new(v).ok()) {
            *slot = v;
        }
    };
    set_m(&mut k.length, above_zero("length")?);
    set_m(&mut k.min_gap, from_zero("minGap")?);
    let accel = above_zero("accel")?;
    set(&mut k.accel, accel);
    set(&mut k.usual_accel, accel);
    set(&mut k.decel, above_zero("decel")?);
    set(&mut k.emergency_decel, above_zero("emergencyDecel")?);
    if k.emergency_decel < k.decel {
        // SUMO never lets the emergency be gentler than the everyday.
        k.emergency_decel = k.decel;
    }
    if let Some(v) = above_zero("maxSpeed")?.and_then(|v| MetresPerSecond::new(v).ok()) {
        k.speed_max = v;
    }
    k.headway_s = from_zero("tau")?.unwrap_or(k.headway_s);
    k.imperfection = from_zero("sigma")?.unwrap_or(k.imperfection);
    if k.imperfection > 1.0 {
        return Err(at.fault(value("sigma", a.get("sigma").unwrap_or(""), "between 0 and 1")));
    }
    k.speed_factor = speed_factor(a, &at, k.speed_factor)?;
    k.following = following(a, &at, notes);
    for (name, given) in a.iter() {
        if name == "scale" && given.trim().parse() != Ok(1.0) {
            return Err(at.fault(Flaw::Unsupported { what: "a scale other than 1".into() }));
        }
        let known = SILENT.contains(&name) || USED.contains(&name) || name == "scale";
        if !known && (name, given) != ("laneChangeModel", "LC2013") {
            notes.add(&format!("attribute '{name}' of a vehicle type left out"), &at.id);
        }
    }
    Ok(Type { at, kind: Ok(k), probability })
}

/// `speedFactor` is a mean or a distribution; `speedDev` is the deviation either way.
fn speed_factor(a: &Attributes, at: &Place, default: SpeedFactor) -> Result<SpeedFactor, Fault> {
    let mut out = default;
    if let Some(text) = a.get("speedFactor") {
        let bad = || at.fault(value("speedFactor", text, "a number above zero, norm(…) or normc(…)"));
        let numbers: Option<Vec<f64>> = text
            .trim()
            .trim_start_matches("normc(")
            .trim_start_matches("norm(")
            .trim_end_matches(')')
            .split(',')
            .map(|n| n.trim().parse().ok().filter(|v: &f64| v.is_finite()))
            .collect();
        let is_distribution = text.contains('(');
        match (numbers.as_deref(), is_distribution) {
            (Some(&[mean]), false) if mean > 0.0 => out.mean = mean,
            (Some(&[mean, deviation]), true) if mean > 0.0 && deviation >= 0.0 => {
                out = SpeedFactor { mean, deviation, ..out };
            }
            (Some(&[mean, deviation, min, max]), true) if mean > 0.0 && deviation >= 0.0 && 0.0 < min && min <= max => {
                out = SpeedFactor { mean, deviation, min, max };
            }
            _ => return Err(bad()),
        }
    }
    if let Some(deviation) = a.number_if(at, "speedDev")? {
        if deviation < 0.0 {
            return Err(at.fault(value("speedDev", a.get("speedDev").unwrap_or(""), "from 0")));
        }
        out.deviation = deviation;
    }
    if out.deviation == 0.0 {
        // Nobody deviates, so nothing is cut off.
        (out.min, out.max) = (out.mean, out.mean);
    }
    Ok(out)
}

fn following(a: &Attributes, at: &Place, notes: &mut Notes) -> Following {
    match a.get("carFollowModel") {
        None | Some("Krauss" | "") => Following::Krauss,
        Some("IDM") => Following::Idm,
        Some(other) if other.contains("IDM") => {
            notes.add(&format!("vehicles that follow by SUMO's {other} follow by the IDM"), &at.id);
            Following::Idm
        }
        Some(other) => {
            notes.add(&format!("vehicles that follow by SUMO's {other} follow by Krauss's law"), &at.id);
            Following::Krauss
        }
    }
}
