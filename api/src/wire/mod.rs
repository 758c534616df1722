//! What travels, in versions. A version's shapes never change their meaning once it is out.

pub mod v1;
