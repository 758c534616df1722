//! The river, the parks and the arena of `riverside`, for drawings.

use super::map::bent;
use crate::sketch::{Area, Backdrop, Label, Surface};

/// The river's banks lie between the quays.
const BANKS_M: (f64, f64) = (-92.0, 92.0);
const ENDS_M: (f64, f64) = (-300.0, 1_640.0);
const STEP_M: f64 = 40.0;

/// What lies beside the streets.
pub(in crate::scenarios::bundled) fn backdrop() -> Backdrop {
    let steps = ((ENDS_M.1 - ENDS_M.0) / STEP_M) as usize;
    let bank = |y: f64| (0..=steps).map(move |k| bent(ENDS_M.0 + STEP_M * k as f64, y));
    let river = bank(BANKS_M.0).chain(bank(BANKS_M.1).rev()).collect();
    let block = |corners: [(f64, f64); 4]| corners.map(|(x, y)| bent(x, y)).to_vec();
    let areas = vec![
        Area { surface: Surface::Water, outline: river },
        Area {
            surface: Surface::Green,
            outline: block([(955.0, -735.0), (1_085.0, -735.0), (1_085.0, -585.0), (955.0, -585.0)]),
        },
        Area {
            surface: Surface::Green,
            outline: block([(955.0, 555.0), (1_085.0, 555.0), (1_085.0, 640.0), (955.0, 640.0)]),
        },
        Area {
            surface: Surface::Building,
            outline: block([(1_140.0, 800.0), (1_290.0, 800.0), (1_290.0, 945.0), (1_140.0, 945.0)]),
        },
    ];
    let label = |x: f64, y: f64, text: &str| Label { at: bent(x, y), text: text.into() };
    let labels =
        vec![label(1_215.0, 865.0, "Arena"), label(1_020.0, -670.0, "Abbey Park"), label(250.0, -8.0, "the river")];
    Backdrop { areas, labels }
}
