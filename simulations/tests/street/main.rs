//! The street in SUMO: a small network of netgenerate's, and the shared scenarios where they are at hand.

mod small;

mod broken;
mod figures;
mod served;
mod shipped_field;
