//! What lies beside the streets: water, parks, names.

use greenkerb_models::network::Point;

/// What an area is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// A river, a lake.
    Water,
    /// A park.
    Green,
    /// A large building.
    Building,
}

/// An area beside the streets.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    /// What it is.
    pub surface: Surface,
    /// Its outline.
    pub outline: Vec<Point>,
}

/// A name in the drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// Where its middle is.
    pub at: Point,
    /// What it says.
    pub text: String,
}

/// What lies beside the streets.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Backdrop {
    /// Areas, drawn in order, below the streets.
    pub areas: Vec<Area>,
    /// Names, drawn above everything.
    pub labels: Vec<Label>,
}
