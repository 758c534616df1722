//! Emissions, by the vehicle specific power of every second: the operating-mode model of the US EPA's MOVES.
//!
//! Vehicle specific power is (A·v + B·v² + C·v³ + M·a·v) / f, with coefficients of the vehicle's source type. Power and speed
//! make one of 23 operating modes, and each mode has a rate of mass per hour (US EPA, *Exhaust Emission Rates for Light-Duty
//! Onroad Vehicles in MOVES3*, EPA-420-R-20-019; *Population and Activity of Onroad Vehicles in MOVES3*, EPA-420-R-20-023).
//! Coefficients and rates are those published by Wang, Wu and Scora (2020), *MOVESTAR: An Open-Source Vehicle Fuel and
//! Emission Model based on USEPA MOVES*, arXiv:2008.04986: source type 21 for cars, 42 (transit bus) for buses, 61
//! (combination short-haul truck) for lorries. Roads are taken as level. Bicycles emit nothing.
//!
//! An American fleet of the year 2020, hot engines: good for comparing controllers, not for an inventory of a city.

use greenkerb_models::demand::{Demand, VehicleClass};
use greenkerb_models::units::TimeDs;
use serde::{Deserialize, Serialize};

use super::snapshot::Snapshot;
use super::vehicles::Vehicles;

/// One mile per hour, in metres per second.
const MPH: f64 = 0.447_04;
/// Bounds of power between modes 11 to 16 (below 25 mph), kW/t.
const POWER_SLOW: [f64; 5] = [0.0, 3.0, 6.0, 9.0, 12.0];
/// Between modes 21 to 30 (25 to 50 mph).
const POWER_MEDIUM: [f64; 8] = [0.0, 3.0, 6.0, 9.0, 12.0, 18.0, 24.0, 30.0];
/// Between modes 33 to 40 (above 50 mph).
const POWER_FAST: [f64; 5] = [6.0, 12.0, 18.0, 24.0, 30.0];

/// Mass emitted.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Emitted {
    /// Carbon dioxide, in kilograms.
    pub co2_kg: f64,
    /// Nitrogen oxides, in grams.
    pub nox_g: f64,
    /// Fine particles of the exhaust (PM2.5), in grams.
    pub pm25_g: f64,
    /// Carbon monoxide, in grams.
    pub co_g: f64,
}

/// Coefficients of a source type: rolling, rotating, drag, mass and fixed mass factor; and its rates per mode.
struct SourceType {
    a: f64,
    b: f64,
    c: f64,
    mass_t: f64,
    factor_t: f64,
    rates: &'static [[f64; 4]; 23],
}

const CAR: SourceType =
    SourceType { a: 0.156_461, b: 0.002_002, c: 0.000_493, mass_t: 1.4788, factor_t: 1.4788, rates: &CAR_RATES };
const BUS: SourceType =
    SourceType { a: 1.0944, b: 0.0, c: 0.003_587, mass_t: 16.556, factor_t: 17.1, rates: &BUS_RATES };
const LORRY: SourceType =
    SourceType { a: 1.963_54, b: 0.0, c: 0.004_031, mass_t: 29.3275, factor_t: 17.1, rates: &LORRY_RATES };

impl SourceType {
    const fn of(class: VehicleClass) -> Option<&'static Self> {
        match class {
            VehicleClass::Car | VehicleClass::Emergency => Some(&CAR),
            VehicleClass::Bus => Some(&BUS),
            VehicleClass::Lorry => Some(&LORRY),
            VehicleClass::Bicycle => None,
        }
    }

    /// Row of the rates for a speed and an acceleration; `brakes` for the third second of braking gently.
    fn mode(&self, speed_mps: f64, accel_mps2: f64, brakes: bool) -> usize {
        if brakes || accel_mps2 <= -2.0 * MPH {
            return 0;
        }
        if speed_mps < MPH {
            return 1;
        }
        let v = speed_mps;
        let power = (self.a * v + self.b * v * v + self.c * v * v * v + self.mass_t * accel_mps2 * v) / self.factor_t;
        let above = |bounds: &[f64]| bounds.iter().filter(|bound| power >= **bound).count();
        match v / MPH {
            mph if mph < 25.0 => 2 + above(&POWER_SLOW),
            mph if mph < 50.0 => 8 + above(&POWER_MEDIUM),
            _ => 17 + above(&POWER_FAST),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Before {
    speed_mps: f32,
    at: TimeDs,
    /// Looks in a row that found it braking harder than 1 mph/s.
    braking: u8,
}

/// Adds up emissions.
#[derive(Debug, Clone, Default)]
pub struct Emissions {
    before: Vec<Option<Before>>,
    sum_per_h: [f64; 4],
}

impl Emissions {
    /// Takes a look at the street, once a second.
    pub fn sample(&mut self, street: &Snapshot, demand: &Demand, vehicles: &Vehicles) {
        for seen in street.vehicles() {
            let v = &seen.vehicle;
            let Some(source) = SourceType::of(demand.kind(v.kind).class) else { continue };
            let index = v.id.0 as usize;
            if self.before.len() <= index {
                self.before.resize(index + 1, None);
            }
            let before = self.before[index];
            let mut braking = 0;
            if let Some(before) = before {
                let passed_s = street.now().since(before.at) as f64 / 10.0;
                // Who was off the road meanwhile begins anew.
                if passed_s > 0.0 && passed_s <= 2.0 {
                    let accel_mps2 = f64::from(v.speed_mps - before.speed_mps) / passed_s;
                    braking = if accel_mps2 < -MPH { before.braking.saturating_add(1) } else { 0 };
                    if vehicles.counts(v.id) {
                        let rates = source.rates[source.mode(f64::from(v.speed_mps), accel_mps2, braking >= 3)];
                        for (sum, rate) in self.sum_per_h.iter_mut().zip(rates) {
                            *sum += rate * passed_s;
                        }
                    }
                }
            }
            self.before[index] = Some(Before { speed_mps: v.speed_mps, at: street.now(), braking });
        }
    }

    /// What was emitted by those who count.
    #[must_use]
    pub fn emitted(&self) -> Emitted {
        let [co2_g, nox_g, pm25_g, co_g] = self.sum_per_h.map(|sum| sum / 3_600.0);
        Emitted { co2_kg: co2_g / 1_000.0, nox_g, pm25_g, co_g }
    }
}

/// Rates of cars: CO2, NOx, PM2.5 and CO in grams per hour, in the order of modes 0, 1, 11–16, 21–25, 27–30, 33, 35, 37–40.
#[rustfmt::skip]
const CAR_RATES: [[f64; 4]; 23] = [
    [3690.0, 3.121, 0.1624, 57.19],
    [3303.0, 3.721, 0.141, 65.2],
    [5065.0, 5.055, 0.1408, 72.21],
    [6793.0, 10.43, 0.1812, 114.7],
    [9899.0, 21.21, 0.3047, 166.3],
    [12750.0, 36.87, 0.368, 236.6],
    [15530.0, 54.52, 0.5114, 290.7],
    [19350.0, 77.72, 1.377, 353.1],
    [6553.0, 12.46, 0.2694, 121.1],
    [7795.0, 14.35, 0.2779, 134.5],
    [9860.0, 22.31, 0.3289, 175.2],
    [12790.0, 38.98, 0.4035, 250.7],
    [16530.0, 55.98, 0.4378, 301.0],
    [21600.0, 89.85, 0.8338, 505.2],
    [29130.0, 123.2, 3.817, 860.5],
    [39790.0, 155.9, 12.12, 1510.0],
    [49620.0, 217.4, 29.8, 3384.0],
    [9969.0, 17.42, 0.9286, 112.3],
    [15830.0, 52.37, 0.9225, 214.6],
    [20520.0, 75.62, 1.012, 288.0],
    [26650.0, 104.0, 1.759, 560.1],
    [35380.0, 143.2, 4.49, 906.4],
    [44860.0, 198.0, 5.244, 2442.0],
];

/// Rates of buses.
#[rustfmt::skip]
const BUS_RATES: [[f64; 4]; 23] = [
    [15330.0, 121.3, 4.419, 92.42],
    [7709.0, 281.3, 4.782, 49.24],
    [10350.0, 169.8, 10.46, 155.7],
    [29800.0, 560.7, 14.57, 201.4],
    [56030.0, 828.3, 38.18, 580.0],
    [82580.0, 1097.0, 54.69, 865.6],
    [105300.0, 1281.0, 77.89, 1176.0],
    [145400.0, 1425.0, 78.13, 1637.0],
    [8643.0, 162.8, 15.73, 171.3],
    [38160.0, 706.3, 31.86, 246.3],
    [64840.0, 1070.0, 38.53, 576.7],
    [92750.0, 1429.0, 62.4, 820.4],
    [119800.0, 1601.0, 87.91, 1091.0],
    [165900.0, 2456.0, 124.8, 1552.0],
    [232200.0, 3439.0, 200.9, 2050.0],
    [298500.0, 4421.0, 326.4, 2636.0],
    [364900.0, 5403.0, 418.5, 3222.0],
    [35110.0, 590.1, 27.79, 330.8],
    [104800.0, 1504.0, 46.03, 802.8],
    [164500.0, 2662.0, 71.97, 1382.0],
    [230400.0, 3727.0, 113.3, 1616.0],
    [296200.0, 4792.0, 180.0, 2077.0],
    [362000.0, 5857.0, 227.7, 2539.0],
];

/// Rates of lorries.
#[rustfmt::skip]
const LORRY_RATES: [[f64; 4]; 23] = [
    [15870.0, 153.0, 4.761, 61.6],
    [7846.0, 143.9, 5.149, 33.42],
    [10530.0, 135.2, 11.44, 104.2],
    [30580.0, 469.5, 15.61, 116.0],
    [56290.0, 751.1, 39.95, 271.4],
    [82290.0, 982.1, 55.71, 368.8],
    [104200.0, 1182.0, 80.75, 486.9],
    [143500.0, 1681.0, 80.99, 651.3],
    [8549.0, 100.5, 15.49, 114.7],
    [39280.0, 595.7, 30.6, 157.6],
    [65440.0, 959.5, 38.55, 239.0],
    [94500.0, 1394.0, 61.32, 408.6],
    [121600.0, 1693.0, 84.9, 526.5],
    [168100.0, 2373.0, 117.2, 730.5],
    [235300.0, 3198.0, 182.5, 920.8],
    [302500.0, 4031.0, 288.5, 1184.0],
    [369700.0, 4927.0, 365.2, 1447.0],
    [35160.0, 350.5, 28.33, 196.2],
    [107000.0, 1795.0, 45.92, 345.9],
    [167600.0, 2544.0, 69.0, 584.8],
    [234700.0, 3422.0, 105.0, 601.1],
    [301700.0, 4328.0, 162.2, 772.9],
    [368800.0, 5290.0, 202.6, 944.6],
];

#[cfg(test)]
mod tests {
    use greenkerb_models::ids::LinkId;

    use super::super::samples::{at_s, car, crossroads, demand, event, straight};
    use super::super::window::Window;
    use super::*;
    use crate::micro::{VehicleId, What};

    #[test]
    fn modes_by_speed_and_power() {
        assert_eq!(CAR.mode(0.0, 0.0, false), 1, "idle");
        assert_eq!(CAR.mode(8.0, -1.0, false), 0, "brakes");
        assert_eq!(CAR.mode(8.0, -0.5, true), 0, "brakes gently for long");
        assert_eq!(CAR.mode(8.0, -0.5, false), 2, "coasts below 25 mph: mode 11");
        // (0.156461·10 + 0.002002·100 + 0.000493·1000)/1.4788 + 10·1 = 11.5 kW/t: mode 15.
        assert_eq!(CAR.mode(10.0, 1.0, false), 6);
        assert_eq!(CAR.mode(10.0, 2.0, false), 7, "mode 16");
        assert_eq!(CAR.mode(13.9, 0.0, false), 9, "cruises at 50 km/h: mode 22");
        assert_eq!(CAR.mode(13.9, 3.0, false), 16, "mode 30");
        assert_eq!(CAR.mode(30.0, 0.0, false), 17 + 2, "mode 37 at 108 km/h");
        assert_eq!(CAR.mode(30.0, 5.0, false), 22, "mode 40");
        assert_eq!(LORRY.mode(13.9, 0.0, false), 9);
    }

    #[test]
    fn an_hour_of_idling() {
        let network = crossroads();
        let (connection, lane, _) = straight(&network);
        let window = Window { from: at_s(0), to: at_s(10_000) };
        let mut vehicles = Vehicles::new(window);
        let mut emissions = Emissions::default();
        vehicles.event(&event(1, What::Loaded { vehicle: VehicleId(0), link: LinkId(0) }));
        let demand = demand();
        for t in 0..=3_600 {
            let street = Snapshot::empty(&network, 0, at_s(t)).with_lane(lane, [car(0, 190.0, 0.0, Some(connection))]);
            emissions.sample(&street, &demand, &vehicles);
        }
        let idle = emissions.emitted();
        assert!((idle.co2_kg - 3.303).abs() < 1e-6, "{idle:?}");
        assert!((idle.nox_g - 3.721).abs() < 1e-6, "{idle:?}");
    }

    #[test]
    fn a_stop_costs_more_than_driving_through() {
        let network = crossroads();
        let (_, lane, _) = straight(&network);
        let mut vehicles = Vehicles::new(Window { from: at_s(0), to: at_s(10_000) });
        vehicles.event(&event(1, What::Loaded { vehicle: VehicleId(0), link: LinkId(0) }));
        let demand = demand();
        let co2_kg = |speeds: &[f32]| {
            let mut emissions = Emissions::default();
            for (t, speed) in speeds.iter().enumerate() {
                let street = Snapshot::empty(&network, 0, at_s(t as i64)).with_lane(lane, [car(0, 50.0, *speed, None)]);
                emissions.sample(&street, &demand, &vehicles);
            }
            emissions.emitted().co2_kg
        };
        let through = co2_kg(&[13.9; 20]);
        let stop = co2_kg(&[13.9, 9.4, 4.9, 0.4, 0.0, 0.0, 2.6, 5.2, 7.8, 10.4, 13.0, 13.9]);
        // The stop covers about 67 m, the drive 264 m.
        assert!(stop / 67.0 > 2.0 * through / 264.0, "{stop} kg, {through} kg");
        assert!((0.13..0.25).contains(&(through / 0.264)), "150 to 250 g of CO2 a kilometre: {}", through / 0.264);
    }
}
