//! What travels, in versions. A version's shapes never change their meaning once it is out.

mod object;
pub mod v1;

pub use object::read_object;
