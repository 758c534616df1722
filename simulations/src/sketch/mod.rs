//! Drawings of networks as SVG: streets with their lanes, crossings, signals, bus stops and car parks, to scale, north up.
//!
//! A small network is drawn lane by lane; a large one as lines as wide as its streets are.

mod backdrop;
mod canvas;
mod draw;

pub use backdrop::{Area, Backdrop, Label, Surface};
pub use draw::{Sketch, draw};
